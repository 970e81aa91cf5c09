namespace Curvature.Kernels;

/// <summary>The order of each row of elements. A unit is some rows. Equal elements keep their order, and NaN comes
/// last, so that there is one result.</summary>
/// <typeparam name="T">The elements.</typeparam>
internal sealed unsafe class ArgSortKernel<T> : CpuKernel
    where T : unmanaged, INumber<T>
{
    private readonly ArgSortDescription _sort;
    private readonly long _rowsPerUnit;

    public ArgSortKernel(ArgSortDescription sort, ThreadTeam team)
        : base(team)
    {
        _sort = sort;
        _rowsPerUnit = Math.Max(1, UnitElements / Math.Max(1, sort.Length));
    }

    /// <inheritdoc/>
    public override string Name => $"order of {_sort.Rows}×{_sort.Length} {_sort.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads) =>
        RunUnits(slots, null, (_sort.Rows + _rowsPerUnit - 1) / _rowsPerUnit, threads);

    /// <inheritdoc/>
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = _sort.Source.Address<T>(slots);
        var target = _sort.Target.Address<int>(slots);
        var keys = new Span<T>((T*)Workspace.Reserve(Math.Max(1L, _sort.Length) * sizeof(T)), _sort.Length);
        var stop = Math.Min(_sort.Rows, end * _rowsPerUnit);
        for (var row = first * _rowsPerUnit; row < stop; row++)
        {
            var start = row * _sort.Length;
            Order(new Span<T>(source + start, _sort.Length), keys, new Span<int>(target + start, _sort.Length));
        }
    }

    private void Order(Span<T> elements, Span<T> keys, Span<int> positions)
    {
        var numbers = Load(elements, keys, positions);
        keys = keys[..numbers];
        positions = positions[..numbers];
        keys.Sort(positions);

        // Sorting may exchange the positions of equal elements.
        for (var from = 0; from < numbers;)
        {
            var to = from + 1;
            while (to < numbers && keys[to] == keys[from])
            {
                to++;
            }

            positions[from..to].Sort();
            from = to;
        }
    }

    /// <summary>Writes keys that ascend in the wanted order, with their positions, and the positions of NaN after
    /// them. Returns how many are not NaN.</summary>
    private int Load(Span<T> elements, Span<T> keys, Span<int> positions)
    {
        var numbers = 0;
        for (var i = 0; i < elements.Length; i++)
        {
            if (!T.IsNaN(elements[i]))
            {
                // The smallest integer has no negative; −1 − x reverses the order of all.
                keys[numbers] = !_sort.Descending ? elements[i]
                    : _sort.DType == DType.Int32 ? -T.One - elements[i]
                    : -elements[i];
                positions[numbers++] = i;
            }
        }

        var missing = numbers;
        for (var i = 0; i < elements.Length && missing < elements.Length; i++)
        {
            if (T.IsNaN(elements[i]))
            {
                positions[missing++] = i;
            }
        }

        return numbers;
    }
}
