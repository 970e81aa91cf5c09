namespace Curvature.Cuda;

/// <summary>The kernel of a tape as text. Its parameters are the addresses of the inputs, then of the outputs; a sum
/// that is put together from pieces has the address of its pieces instead of its target's.</summary>
internal sealed class TapeText
{
    /// <summary>The kernel's name.</summary>
    public const string Name = "tape";

    private readonly TapeDescription _tape;
    private readonly TapeCode _code;
    private readonly SumPieces? _pieces;
    private readonly int _bytes;

    private TapeText(TapeDescription tape, bool vectors)
    {
        TapeCheck.Validate(tape);
        _tape = tape;
        _code = new TapeCode(tape);
        _bytes = Elements.SizeOf(tape.DType);
        Total = Check.Shape(tape.Shape, nameof(TapeDescription.Shape));
        Sums = [.. tape.Outputs.Select(SumLength)];
        _pieces = Total > 0 && Sums.Max() > 1 ? new SumPieces(Total, Sums.Where(sum => sum > 1).Min()) : null;
        Vector = vectors && Total > 0 && _pieces is null ? VectorLength() : 1;
        Kernel = tape.DType == DType.Float32 ? Write<Single32>() : Write<Double64>();
    }

    /// <summary>The text for a tape.</summary>
    /// <param name="tape">What is computed.</param>
    /// <param name="vectors">Whether several elements may be read and written at once where strides allow it: the
    /// addresses of all arrays are multiples of 16 then.</param>
    /// <exception cref="DescriptionException">The tape is malformed.</exception>
    public static TapeText Of(TapeDescription tape, bool vectors) => new(tape, vectors);

    /// <summary>Elements of the shape.</summary>
    public long Total { get; }

    /// <summary>For each output the number of elements in each of its sums; 1 where it is stored.</summary>
    public long[] Sums { get; }

    /// <summary>Elements that a thread reads at once.</summary>
    public int Vector { get; }

    /// <summary>The text, and the threads that run it.</summary>
    public KernelText Kernel { get; }

    /// <summary>For each output the number of pieces, in Float64 and one after the other, that each of its sums is to
    /// be added up from; 0 where the kernel writes the target itself.</summary>
    public long[] PiecesPerSum =>
        [.. Sums.Select(sum => _pieces is null || sum == 1 ? 0 : _pieces.PerSum(sum) is > 1 and var count ? count : 0)];

    private long SumLength(TapeOutput output)
    {
        var length = 1L;
        for (var axis = _tape.Shape.Length - output.SummedAxes; axis < _tape.Shape.Length; axis++)
        {
            length *= _tape.Shape[axis];
        }

        return length;
    }

    private int VectorLength()
    {
        var length = 16 / _bytes;
        var fits = Total % length == 0
            && _tape.Inputs.All(input => IsContiguous(input, length)
                || ElementText.IsRepeated(_tape.Shape, input.Strides, length))
            && _tape.Outputs.All(output => IsContiguous(WholeTarget(output), length));
        return fits ? length : 1;
    }

    private bool IsContiguous(Operand operand, int length) =>
        operand.Place.Offset % length == 0 && ElementText.IsContiguous(_tape.Shape, operand.Strides, length);

    /// <summary>The target of an output over all axes of the shape: those summed have one element.</summary>
    private static Operand WholeTarget(TapeOutput output) =>
        output.Target with { Strides = [.. output.Target.Strides, .. new int[output.SummedAxes]] };

    private KernelText Write<P>()
        where P : struct, IPrecision
    {
        if (Total == 0)
        {
            return new KernelText(Name, "", 0);
        }

        var text = PtxWriter.Write(Name, writer =>
        {
            var inputs = _tape.Inputs.Select(input => Array(_tape.Shape, input, writer)).ToArray();
            var outputs = _tape.Outputs.Select((output, i) => Sums[i] > 1
                ? Array(_tape.Shape.AsSpan(0, _tape.Shape.Length - output.SummedAxes), output.Target, writer)
                : Array(_tape.Shape, WholeTarget(output), writer)).ToArray();
            if (_pieces is null)
            {
                WriteElements<P>(inputs, outputs);
            }
            else
            {
                WriteSums<P>(_pieces, inputs, outputs);
            }
        });
        return new KernelText(Name, text, _pieces?.Blocks ?? KernelText.BlocksFor(Total / Vector));
    }

    private ElementText Array(ReadOnlySpan<int> shape, Operand operand, PtxWriter writer) =>
        new(shape, operand.Strides, _bytes, writer.Parameter(Register.Long));

    /// <summary>A thread for each element, or for a few that lie together.</summary>
    private void WriteElements<P>(ElementText[] inputs, ElementText[] outputs)
        where P : struct, IPrecision
    {
        var writer = PtxWriter.Current;
        var end = writer.Label();
        var thread = ThreadText.Number();
        writer.Line($"@{writer.Test("ge.u32", thread, $"{Total / Vector}")} bra {end}");
        var number = Vector == 1 ? thread : writer.Do(Register.Word, "mul.lo.s32", thread, $"{Vector}");
        var coordinates = new Coordinates(number);
        var loaded = inputs.Select((input, i) => Read<P>(input, _tape.Inputs[i], coordinates)).ToArray();
        var results = Enumerable.Range(0, Vector)
            .Select(lane => Compute(loaded.Select(values => values[lane]).ToArray()))
            .ToArray();
        for (var i = 0; i < outputs.Length; i++)
        {
            Store(outputs[i], coordinates, [.. results.Select(lane => lane[i])]);
        }

        writer.Place(end);
    }

    /// <summary>A group of threads for each piece of a sum.</summary>
    private void WriteSums<P>(SumPieces pieces, ElementText[] inputs, ElementText[] outputs)
        where P : struct, IPrecision
    {
        var sums = pieces.Begin(Sums.Count(sum => sum > 1));
        var number = pieces.BeginLoop();
        var coordinates = new Coordinates(number);
        var loaded = inputs.Select(input => Read<P>(input, coordinates)).ToArray();
        var results = Compute(loaded);
        var next = 0;
        for (var i = 0; i < outputs.Length; i++)
        {
            if (Sums[i] == 1)
            {
                Store(outputs[i], coordinates, [results[i]]);
            }
            else
            {
                SumPieces.Add(sums[next++], TapeOperations.Widen(results[i]));
            }
        }

        pieces.EndLoop();
        next = 0;
        for (var i = 0; i < outputs.Length; i++)
        {
            if (Sums[i] > 1)
            {
                pieces.Finish<P>(sums[next++], outputs[i], isWhole: PiecesPerSum[i] == 0);
            }
        }
    }

    private PtxLanes<P>[] Read<P>(ElementText input, Operand operand, Coordinates coordinates)
        where P : struct, IPrecision
    {
        if (Vector == 1 || ElementText.IsRepeated(_tape.Shape, operand.Strides, Vector))
        {
            return [.. Enumerable.Repeat(Read<P>(input, coordinates), Vector)];
        }

        var writer = PtxWriter.Current;
        var address = input.At(coordinates);
        var registers = Enumerable.Range(0, Vector).Select(_ => writer.New(PtxLanes<P>.Kind)).ToArray();
        writer.Line($"ld.global.v{Vector}.{PtxLanes<P>.Number} {{{string.Join(", ", registers)}}}, [{address}]");
        return [.. registers.Select(register => new PtxLanes<P>(register))];
    }

    private static PtxLanes<P> Read<P>(ElementText input, Coordinates coordinates)
        where P : struct, IPrecision =>
        new(PtxWriter.Current.Do(PtxLanes<P>.Kind, $"ld.global.{PtxLanes<P>.Number}", $"[{input.At(coordinates)}]"));

    private static void Store<P>(ElementText output, Coordinates coordinates, PtxLanes<P>[] values)
        where P : struct, IPrecision
    {
        var address = output.At(coordinates);
        var names = string.Join(", ", values.Select(value => value.Name));
        PtxWriter.Current.Line(values.Length == 1
            ? $"st.global.{PtxLanes<P>.Number} [{address}], {names}"
            : $"st.global.v{values.Length}.{PtxLanes<P>.Number} [{address}], {{{names}}}");
    }

    /// <summary>The outputs of one element, from its inputs.</summary>
    private PtxLanes<P>[] Compute<P>(PtxLanes<P>[] inputs)
        where P : struct, IPrecision
    {
        var results = new List<PtxLanes<P>>();
        PtxLanes<P> Value(TapeValue value) => value.Kind switch
        {
            TapeValueKind.Input => inputs[value.Index],
            TapeValueKind.Constant => PtxLanes<P>.Create(_tape.Constants[value.Index]),
            _ => results[value.Index],
        };
        foreach (var step in _code.Steps)
        {
            results.Add(TapeOperations.Write(step.Op, Value(step.A), Value(step.B), Value(step.C)));
        }

        return [.. _code.Outputs.Select(Value)];
    }
}
