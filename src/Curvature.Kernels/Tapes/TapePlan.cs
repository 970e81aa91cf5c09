namespace Curvature.Kernels;

/// <summary>Where a tape's values are while it runs. All are in one table of addresses: first the inputs, then the
/// constants, then tiles for results, then the outputs that steps write straight into their targets.</summary>
internal sealed class TapePlan
{
    // What should fit into the first-level cache beside code and stack.
    private const long TileBytes = 32 * 1024;

    private readonly TapeCode _code;

    public TapePlan(TapeDescription tape, TapeCode code)
    {
        _code = code;
        Total = Check.Shape(tape.Shape, nameof(TapeDescription.Shape));
        Inputs = [.. tape.Inputs.Select(input => new TileView(tape.Shape, input.Strides))];
        Sums = [.. tape.Outputs.Select(output => Product(tape.Shape.AsSpan(tape.Shape.Length - output.SummedAxes)))];
        Targets = [.. tape.Outputs.Select(output =>
            new TileView(tape.Shape.AsSpan(0, tape.Shape.Length - output.SummedAxes), output.Target.Strides))];

        var periods = Periods(tape).ToArray();
        var streams = Inputs.Length + tape.Constants.Length + (code.Steps.Count / 2) + 1;
        var tile = TileBytes / (Elements.SizeOf(tape.DType) * streams);
        Tile = Cut.Along(Total, periods, Math.Clamp(tile / 64 * 64, 256, 2048));

        // Units are large enough for another thread, and few enough that their sums take little memory.
        var least = code.Steps.Any(step => step.Op is { } op && OpCodes.IsFunction(op)) ? 4096 : 8192;
        Unit = Cut.Along(Total, periods, Math.Max(least, (Total / 128 + 63) / 64 * 64));

        IsDirect = [.. Inputs.Select(ReachesAcrossTiles)];
        DirectTargets = FindDirectTargets(tape);
        AssignPlaces(tape);
    }

    /// <summary>Elements of the shape.</summary>
    public long Total { get; }

    /// <summary>How the shape is cut into tiles.</summary>
    public Cut Tile { get; }

    /// <summary>How it is cut into units of work for threads.</summary>
    public Cut Unit { get; }

    /// <summary>The inputs over the shape.</summary>
    public TileView[] Inputs { get; }

    /// <summary>Which inputs are read where they lie; the others are copied to tiles.</summary>
    public bool[] IsDirect { get; }

    /// <summary>The targets over the axes they keep.</summary>
    public TileView[] Targets { get; }

    /// <summary>For each output the number of elements in each of its sums.</summary>
    public long[] Sums { get; }

    /// <summary>For each output the place in the table that its step writes to if that is the target itself, else
    /// −1.</summary>
    public int[] DirectTargets { get; }

    /// <summary>For each step, the place of its result.</summary>
    public int[] Places { get; private set; } = [];

    /// <summary>The size of the table.</summary>
    public int TableSize { get; private set; }

    /// <summary>The number of tiles for results.</summary>
    public int ResultTiles { get; private set; }

    /// <summary>The place of a value.</summary>
    public int PlaceOf(TapeValue value) => value.Kind switch
    {
        TapeValueKind.Input => value.Index,
        TapeValueKind.Constant => Inputs.Length + value.Index,
        _ => Places[value.Index],
    };

    private static long Product(ReadOnlySpan<int> sizes)
    {
        var product = 1L;
        foreach (var size in sizes)
        {
            product *= size;
        }

        return product;
    }

    private IEnumerable<long> Periods(TapeDescription tape)
    {
        foreach (var input in Inputs)
        {
            yield return input.Run;
        }

        for (var i = 0; i < Targets.Length; i++)
        {
            yield return tape.Outputs[i].SummedAxes == 0 ? Targets[i].Run : Sums[i];
        }
    }

    /// <summary>Whether every tile lies within one contiguous stretch.</summary>
    private bool ReachesAcrossTiles(TileView view) => view.Run >= Tile.Row || view.Run % Tile.Piece == 0;

    /// <summary>Steps may write into a target when nothing after them reads an input, because the target may be that
    /// input.</summary>
    private int[] FindDirectTargets(TapeDescription tape)
    {
        var lastRead = -1;
        for (var i = 0; i < _code.Steps.Count; i++)
        {
            var step = _code.Steps[i];
            if (IsDirectInput(step.A) || IsDirectInput(step.B) || IsDirectInput(step.C))
            {
                lastRead = i;
            }
        }

        var places = new int[Targets.Length];
        var taken = new HashSet<int>();
        for (var i = 0; i < Targets.Length; i++)
        {
            var step = _code.Outputs[i].Index;
            var direct = tape.Outputs[i].SummedAxes == 0 && step >= lastRead && ReachesAcrossTiles(Targets[i]);
            places[i] = direct && taken.Add(step) ? 0 : -1;
        }

        return places;
    }

    private bool IsDirectInput(TapeValue value) => value.Kind == TapeValueKind.Input && IsDirect[value.Index];

    /// <summary>Gives results places; tiles whose values are used no more are used again.</summary>
    private void AssignPlaces(TapeDescription tape)
    {
        var count = _code.Steps.Count;
        var lastUse = new int[count];
        for (var i = 0; i < count; i++)
        {
            foreach (var operand in new[] { _code.Steps[i].A, _code.Steps[i].B, _code.Steps[i].C })
            {
                if (operand.Kind == TapeValueKind.Result)
                {
                    lastUse[operand.Index] = i;
                }
            }
        }

        var direct = new bool[count];
        for (var i = 0; i < Targets.Length; i++)
        {
            if (_code.Outputs[i] is { Kind: TapeValueKind.Result, Index: var step })
            {
                lastUse[step] = count; // stored after the last step
                direct[step] |= DirectTargets[i] >= 0;
            }
        }

        var first = Inputs.Length + tape.Constants.Length;
        var free = new Stack<int>();
        var dying = Enumerable.Range(0, count).ToLookup(step => lastUse[step]);
        Places = new int[count];
        for (var i = 0; i < count; i++)
        {
            foreach (var step in dying[i].Where(step => !direct[step] && step < i))
            {
                free.Push(Places[step]);
            }

            if (!direct[i])
            {
                Places[i] = free.TryPop(out var place) ? place : first + ResultTiles++;
            }
        }

        TableSize = first + ResultTiles;
        for (var i = 0; i < Targets.Length; i++)
        {
            if (DirectTargets[i] >= 0)
            {
                DirectTargets[i] = TableSize;
                Places[_code.Outputs[i].Index] = TableSize++;
            }
        }
    }
}
