using static Curvature.Kernels.Operations;

namespace Curvature.Kernels;

/// <summary>A loop over runs of elements that computes one operation: the address of one of the methods of
/// <see cref="Loops{V}"/>.</summary>
internal readonly unsafe struct Loop
{
    private readonly delegate*<byte*, byte*, byte*, byte*, nint, void> _method;

    private Loop(delegate*<byte*, byte*, byte*, byte*, nint, void> method) => _method = method;

    /// <summary>target[i] = operation(a[i], b[i], c[i]) for i &lt; count; operands that the operation does not have are
    /// ignored.</summary>
    public void Run(byte* a, byte* b, byte* c, byte* target, nint count) => _method(a, b, c, target, count);

    /// <summary>The loop for an operation, or for a plain copy if there is none.</summary>
    public static Loop For<V>(OpCode? operation)
        where V : struct, ILanes<V> => operation switch
        {
            null => new(&Loops<V>.Unary<Copy>),
            OpCode.Add => new(&Loops<V>.Binary<Add>),
            OpCode.Subtract => new(&Loops<V>.Binary<Subtract>),
            OpCode.Multiply => new(&Loops<V>.Binary<Multiply>),
            OpCode.Divide => new(&Loops<V>.Binary<Divide>),
            OpCode.MultiplyAdd => new(&Loops<V>.Ternary<MultiplyAdd>),
            OpCode.Maximum => new(&Loops<V>.Binary<Maximum>),
            OpCode.Minimum => new(&Loops<V>.Binary<Minimum>),
            OpCode.Greater => new(&Loops<V>.Binary<Greater>),
            OpCode.GreaterOrEqual => new(&Loops<V>.Binary<GreaterOrEqual>),
            OpCode.Equal => new(&Loops<V>.Binary<Equal>),
            OpCode.Select => new(&Loops<V>.Ternary<Select>),
            OpCode.Power => new(&Loops<V>.Power),
            OpCode.Atan2 => new(&Loops<V>.Atan2),
            OpCode.Negate => new(&Loops<V>.Unary<Negate>),
            OpCode.Abs => new(&Loops<V>.Unary<Abs>),
            OpCode.Sign => new(&Loops<V>.Unary<Sign>),
            OpCode.Floor => new(&Loops<V>.Unary<Floor>),
            OpCode.Sqrt => new(&Loops<V>.Unary<Sqrt>),
            OpCode.ReciprocalSqrt => new(&Loops<V>.Unary<ReciprocalSqrt>),
            OpCode.Exp => new(&Loops<V>.Function<Exp>),
            OpCode.Expm1 => new(&Loops<V>.Function<Expm1>),
            OpCode.Log => new(&Loops<V>.Function<Log>),
            OpCode.Log1p => new(&Loops<V>.Function<Log1p>),
            OpCode.Sin => new(&Loops<V>.Function<Sin>),
            OpCode.Cos => new(&Loops<V>.Function<Cos>),
            OpCode.Tanh => new(&Loops<V>.Function<Tanh>),
            OpCode.Sigmoid => new(&Loops<V>.Function<Sigmoid>),
            OpCode.Softplus => new(&Loops<V>.Function<Softplus>),
            OpCode.Erf => new(&Loops<V>.Function<Erf>),
            OpCode.ErfInverse => new(&Loops<V>.Function<ErfInverse>),
            _ => throw new DescriptionException($"Expected an operation, got {operation}.", nameof(operation)),
        };
}
