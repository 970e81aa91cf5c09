namespace Curvature.Cuda;

/// <summary>The operations of tapes, written as text: the library's own functions over lanes, but for the three that
/// leave arguments to the C library.</summary>
internal static class TapeOperations
{
    /// <summary>Writes an operation and returns the register of its result; a plain copy writes nothing.</summary>
    public static PtxLanes<P> Write<P>(OpCode? operation, PtxLanes<P> a, PtxLanes<P> b, PtxLanes<P> c)
        where P : struct, IPrecision => operation switch
        {
            null => a,
            OpCode.Add => Operations.Add.Invoke(a, b),
            OpCode.Subtract => Operations.Subtract.Invoke(a, b),
            OpCode.Multiply => Operations.Multiply.Invoke(a, b),
            OpCode.Divide => Operations.Divide.Invoke(a, b),
            OpCode.MultiplyAdd => Operations.MultiplyAdd.Invoke(a, b, c),
            OpCode.Maximum => Operations.Maximum.Invoke(a, b),
            OpCode.Minimum => Operations.Minimum.Invoke(a, b),
            OpCode.Greater => Operations.Greater.Invoke(a, b),
            OpCode.GreaterOrEqual => Operations.GreaterOrEqual.Invoke(a, b),
            OpCode.Equal => Operations.Equal.Invoke(a, b),
            OpCode.Select => Operations.Select.Invoke(a, b, c),
            OpCode.Power => P.IsSingle
                ? Precise(Powers.PowerOfSingles, a, b)
                : Precise(Powers.Power, a, b),
            OpCode.Atan2 => Precise(Arctangents.Atan2, a, b),
            OpCode.Negate => Operations.Negate.Invoke(a),
            OpCode.Abs => Operations.Abs.Invoke(a),
            OpCode.Sign => Operations.Sign.Invoke(a),
            OpCode.Floor => Operations.Floor.Invoke(a),
            OpCode.Sqrt => Operations.Sqrt.Invoke(a),
            OpCode.ReciprocalSqrt => Operations.ReciprocalSqrt.Invoke(a),
            OpCode.Exp => Operations.Exp.Invoke(a),
            OpCode.Expm1 => Operations.Expm1.Invoke(a),
            OpCode.Log => Operations.Log.Invoke(a),
            OpCode.Log1p => Operations.Log1p.Invoke(a),
            OpCode.Sin => OrFar(a, Trigonometry.SinOfModerate(a), FarAngles.Sin),
            OpCode.Cos => OrFar(a, Trigonometry.CosOfModerate(a), FarAngles.Cos),
            OpCode.Tanh => Operations.Tanh.Invoke(a),
            OpCode.Sigmoid => Operations.Sigmoid.Invoke(a),
            OpCode.Softplus => Operations.Softplus.Invoke(a),
            OpCode.Erf => Operations.Erf.Invoke(a),
            OpCode.ErfInverse => Operations.ErfInverse.Invoke(a),
            _ => throw new DescriptionException($"Expected an operation, got {operation}.", nameof(operation)),
        };

    /// <summary>The number in double precision: the same register if it is.</summary>
    public static PtxLanes<Double64> Widen<P>(PtxLanes<P> a)
        where P : struct, IPrecision =>
        new(P.IsSingle ? PtxWriter.Current.Do(Register.Long, "cvt.f64.f32", a.Name) : a.Name);

    /// <summary>The number rounded to the precision of the lanes.</summary>
    public static PtxLanes<P> Narrow<P>(PtxLanes<Double64> a)
        where P : struct, IPrecision =>
        new(P.IsSingle ? PtxWriter.Current.Do(Register.Word, "cvt.rn.f32.f64", a.Name) : a.Name);

    private static PtxLanes<P> Precise<P>(
        Func<PtxLanes<Double64>, PtxLanes<Double64>, PtxLanes<Double64>> function, PtxLanes<P> a, PtxLanes<P> b)
        where P : struct, IPrecision => Narrow<P>(function(Widen(a), Widen(b)));

    /// <summary>The value near zero, or another one where the argument is large; few threads go that way, and those
    /// that do not jump over it.</summary>
    private static PtxLanes<P> OrFar<P>(
        PtxLanes<P> a, PtxLanes<P> moderate, Func<PtxLanes<Double64>, PtxLanes<Double64>> far)
        where P : struct, IPrecision
    {
        var writer = PtxWriter.Current;
        var result = writer.Do(PtxLanes<P>.Kind, P.IsSingle ? "mov.b32" : "mov.b64", moderate.Name);
        var end = writer.Label();
        writer.Line($"@!{Trigonometry.IsFar(a).ToPredicate()} bra {end}");
        var value = Narrow<P>(far(Widen(a)));
        writer.Line($"{(P.IsSingle ? "mov.b32" : "mov.b64")} {result}, {value.Name}");
        writer.Place(end);
        return new PtxLanes<P>(result);
    }
}
