namespace Curvature.Kernels;

/// <summary>Runs a tape tile by tile, so that intermediate values stay in the first-level cache.</summary>
/// <typeparam name="V">Vectors of elements.</typeparam>
/// <typeparam name="D">Vectors of doubles, for sums.</typeparam>
/// <typeparam name="T">The elements: float or double.</typeparam>
internal sealed unsafe class TapeKernel<V, D, T> : CpuKernel
    where V : struct, ILanes<V>
    where D : struct, ILanes<D>
    where T : unmanaged
{
    private readonly MemoryPool _pool;
    private readonly TapePlan _plan;
    private readonly Operand[] _inputs;
    private readonly T[] _constants;
    private readonly PlacedStep[] _steps;
    private readonly TapeOutput[] _outputs;
    private readonly int[] _outputPlaces;
    private readonly int[] _partials;
    private readonly int _partialCount;
    private readonly long _units;

    public TapeKernel(TapeDescription tape, ThreadTeam team, MemoryPool pool)
        : base(team)
    {
        _pool = pool;
        var code = new TapeCode(tape);
        _plan = new TapePlan(tape, code);
        _inputs = [.. tape.Inputs];
        _outputs = [.. tape.Outputs];
        _constants = [.. tape.Constants.Select(Fold<D, T>.Element)];
        _steps = [.. code.Steps.Select((step, i) => new PlacedStep(
            Loop.For<V>(step.Op),
            _plan.PlaceOf(step.A),
            _plan.PlaceOf(step.B),
            _plan.PlaceOf(step.C),
            _plan.Places[i]))];
        _outputPlaces = [.. code.Outputs.Select(_plan.PlaceOf)];
        _units = _plan.Unit.Pieces(_plan.Total);

        // Sums longer than a unit are put together from what each unit gives.
        _partials = new int[_outputs.Length];
        for (var i = 0; i < _outputs.Length; i++)
        {
            _partials[i] = IsSum(_outputs[i]) && _plan.Sums[i] > _plan.Unit.Piece ? _partialCount++ : -1;
        }

        var steps = string.Join(' ', code.Steps.Select(step => step.Op?.ToString() ?? "Copy"));
        Name = $"map {Elements.Describe(tape.Shape)} {tape.DType}: {steps}";
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        if (_plan.Total == 0)
        {
            ClearSums(slots);
            return;
        }

        if (_partialCount == 0)
        {
            RunUnits(slots, null, _units, threads);
            return;
        }

        using var partials = _pool.Rent(_units * _partialCount * sizeof(double));
        RunUnits(slots, (byte*)partials.Address, _units, threads);
        CombinePartials(slots, (double*)partials.Address);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var table = stackalloc byte*[_plan.TableSize];
        var sums = stackalloc double[_outputs.Length];
        var rows = (T*)PlaceTiles(slots, table);
        for (var unit = first; unit < end; unit++)
        {
            var start = _plan.Unit.Start(unit);
            var stop = start + _plan.Unit.LengthAt(start);
            new Span<double>(sums, _outputs.Length).Clear();
            while (start < stop)
            {
                var count = (int)Math.Min(_plan.Tile.LengthAt(start), stop - start);
                ReadInputs(slots, table, start, count);
                foreach (ref readonly var step in _steps.AsSpan())
                {
                    step.Loop.Run(table[step.A], table[step.B], table[step.C], table[step.Target], count);
                }

                WriteOutputs(slots, table, start, count, sums, rows);
                start += count;
            }

            for (var i = 0; i < _outputs.Length; i++)
            {
                if (_partials[i] >= 0)
                {
                    ((double*)shared)[unit * _partialCount + _partials[i]] = sums[i];
                }
            }
        }
    }

    private static bool IsSum(TapeOutput output) => output.SummedAxes > 0;

    /// <summary>Places tiles one after the other in the thread's workspace, fills those that stay the same for all
    /// tiles, and returns one more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private byte* PlaceTiles(nint[] slots, byte** table)
    {
        // A cache line between tiles keeps them from falling on the same places of the cache, too.
        var tileBytes = ((_plan.Tile.Piece * sizeof(T) + 63) / 64 * 64) + TileView.Slack;
        var tiles = _inputs.Length + _constants.Length + _plan.ResultTiles;
        var next = Workspace.Reserve((tiles + 1) * tileBytes);
        var count = (int)_plan.Tile.Piece;
        for (var i = 0; i < _inputs.Length; i++)
        {
            if (!_plan.IsDirect[i])
            {
                table[i] = next;
                next += tileBytes;
                if (_plan.Inputs[i].Repeats)
                {
                    Repeat(_inputs[i].Place.Address<T>(slots), (int)_plan.Inputs[i].Run, (T*)table[i], count);
                }
            }
        }

        for (var i = 0; i < _constants.Length; i++)
        {
            new Span<T>(next, count).Fill(_constants[i]);
            table[_inputs.Length + i] = next;
            next += tileBytes;
        }

        for (var i = 0; i < _plan.ResultTiles; i++)
        {
            table[_inputs.Length + _constants.Length + i] = next;
            next += tileBytes;
        }

        return next;
    }

    /// <summary>Fills a tile with one run over and over, doubling what is there.</summary>
    private static void Repeat(T* source, int run, T* tile, int count)
    {
        new ReadOnlySpan<T>(source, run).CopyTo(new Span<T>(tile, run));
        for (var filled = run; filled < count; filled *= 2)
        {
            var length = Math.Min(filled, count - filled);
            new ReadOnlySpan<T>(tile, length).CopyTo(new Span<T>(tile + filled, length));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ReadInputs(nint[] slots, byte** table, long start, int count)
    {
        for (var i = 0; i < _inputs.Length; i++)
        {
            var view = _plan.Inputs[i];
            if (_plan.IsDirect[i])
            {
                table[i] = (byte*)(_inputs[i].Place.Address<T>(slots) + view.OffsetOf(start));
            }
            else if (!view.Repeats)
            {
                view.Read(_inputs[i].Place.Address<T>(slots), start, count, (T*)table[i]);
            }
        }

        for (var i = 0; i < _outputs.Length; i++)
        {
            if (_plan.DirectTargets[i] >= 0)
            {
                var target = _outputs[i].Target.Place.Address<T>(slots) + _plan.Targets[i].OffsetOf(start);
                table[_plan.DirectTargets[i]] = (byte*)target;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WriteOutputs(nint[] slots, byte** table, long start, int count, double* sums, T* rows)
    {
        for (var i = 0; i < _outputs.Length; i++)
        {
            var values = (T*)table[_outputPlaces[i]];
            if (!IsSum(_outputs[i]))
            {
                if (_plan.DirectTargets[i] < 0)
                {
                    _plan.Targets[i].Write(_outputs[i].Target.Place.Address<T>(slots), start, count, values);
                }
            }
            else if (_plan.Sums[i] <= count)
            {
                WriteWholeSums(slots, i, values, start, count, rows);
            }
            else
            {
                AddToSum(slots, i, values, start, count, ref sums[i]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WriteWholeSums(nint[] slots, int output, T* values, long start, int count, T* rows)
    {
        var length = _plan.Sums[output];
        var rowCount = (int)(count / length);
        Fold<D, T>.Rows<Operations.Add>(values, length, rowCount, (nint)length, 0.0, rows);
        var target = _outputs[output].Target.Place.Address<T>(slots);
        _plan.Targets[output].Write(target, start / length, rowCount, rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddToSum(nint[] slots, int output, T* values, long start, int count, ref double sum)
    {
        var length = _plan.Sums[output];
        sum += Fold<D, T>.Run<Operations.Add>(values, count, 0.0);
        if (_partials[output] < 0 && (start + count) % length == 0)
        {
            WriteSum(slots, output, start / length, sum);
            sum = 0.0;
        }
    }

    private void CombinePartials(nint[] slots, double* partials)
    {
        for (var i = 0; i < _outputs.Length; i++)
        {
            if (_partials[i] < 0)
            {
                continue;
            }

            var rows = _plan.Total / _plan.Sums[i];
            var unitsPerRow = _units / rows;
            for (var row = 0L; row < rows; row++)
            {
                var sum = 0.0;
                for (var unit = row * unitsPerRow; unit < (row + 1) * unitsPerRow; unit++)
                {
                    sum += partials[unit * _partialCount + _partials[i]];
                }

                WriteSum(slots, i, row, sum);
            }
        }
    }

    private void ClearSums(nint[] slots)
    {
        for (var i = 0; i < _outputs.Length; i++)
        {
            for (var row = 0L; row < _plan.Targets[i].Count; row++)
            {
                WriteSum(slots, i, row, 0.0);
            }
        }
    }

    private void WriteSum(nint[] slots, int output, long row, double sum) =>
        _outputs[output].Target.Place.Address<T>(slots)[_plan.Targets[output].OffsetOf(row)] = Fold<D, T>.Element(sum);

    private readonly record struct PlacedStep(Loop Loop, int A, int B, int C, int Target);
}
