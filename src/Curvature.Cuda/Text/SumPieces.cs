namespace Curvature.Cuda;

/// <summary>How the sums of a tape are cut into pieces, each for a group of threads, and the text around that. The cut
/// depends on the shape alone, and threads add up in Float64 in a fixed order, so that results are the same bits in
/// every run.</summary>
internal sealed class SumPieces
{
    // A thread of a large group has some work of its own before threads meet, and there are not so many pieces that
    // adding these up takes long.
    private const int LeastLength = 2048;
    private const int MostPieces = 4096;

    private readonly long _length;
    private readonly long _piece;
    private readonly long _perRow;
    private readonly long _pieces;
    private readonly int _group;
    private string _lane = "";
    private string _thread = "";
    private string _number = "";
    private string _row = "";
    private string _position = "";
    private string _end = "";
    private string _loop = "";
    private string _done = "";

    /// <param name="total">Elements in all.</param>
    /// <param name="length">Elements of the shortest sum, more than 1.</param>
    public SumPieces(long total, long length)
    {
        _length = length;
        _group = length <= 8 ? 1 : length <= 1024 ? 32 : KernelText.Threads;
        var even = (length + MostPieces - 1) / MostPieces;
        _piece = Math.Max(LeastLength, (even + KernelText.Threads - 1) / KernelText.Threads * KernelText.Threads);
        _perRow = (length + _piece - 1) / _piece;
        _pieces = total / length * _perRow;
    }

    /// <summary>Blocks of threads.</summary>
    public long Blocks => (_pieces + GroupsPerBlock - 1) / GroupsPerBlock;

    private int GroupsPerBlock => KernelText.Threads / _group;

    /// <summary>Pieces of a sum that may be longer than the shortest.</summary>
    public long PerSum(long length) => length / _length * _perRow;

    /// <summary>Writes which piece a thread works on, and returns registers for sums.</summary>
    public string[] Begin(int sums)
    {
        var writer = PtxWriter.Current;
        var block = ThreadText.Block();
        _thread = ThreadText.InBlock();
        _lane = writer.Do(Register.Word, "rem.u32", _thread, $"{_group}");
        var group = writer.Do(Register.Word, "div.u32", _thread, $"{_group}");
        _number = writer.Do(Register.Word, "mad.lo.s32", block, $"{GroupsPerBlock}", group);
        _row = writer.Do(Register.Word, "div.u32", _number, $"{_perRow}");
        var inRow = writer.Do(Register.Word, "rem.u32", _number, $"{_perRow}");
        var start = writer.Do(Register.Word, "mul.lo.s32", inRow, $"{_piece}");
        var stop = writer.Do(Register.Word, "add.s32", start, $"{_piece}");
        _end = writer.Do(Register.Word, "min.u32", stop, $"{_length}");
        _position = writer.Do(Register.Word, "add.s32", start, _lane);

        // A group without a piece goes on to where threads meet, with nothing to add.
        var isIdle = writer.Test("ge.u32", _number, $"{_pieces}");
        writer.Line($"selp.b32 {_position}, {_end}, {_position}, {isIdle}");
        return [.. Enumerable.Range(0, sums).Select(_ => writer.Do(Register.Long, "mov.b64", "0"))];
    }

    /// <summary>Begins the loop over a thread's elements, and returns a register with the number of one.</summary>
    public string BeginLoop()
    {
        var writer = PtxWriter.Current;
        _loop = writer.Label();
        _done = writer.Label();
        writer.Place(_loop);
        writer.Line($"@{writer.Test("ge.u32", _position, _end)} bra {_done}");
        return writer.Do(Register.Word, "mad.lo.s32", _row, $"{_length}", _position);
    }

    /// <summary>Adds to a sum.</summary>
    public static void Add(string sum, PtxLanes<Double64> value) =>
        PtxWriter.Current.Line($"add.rn.f64 {sum}, {sum}, {value.Name}");

    /// <summary>Ends the loop.</summary>
    public void EndLoop()
    {
        var writer = PtxWriter.Current;
        writer.Line($"add.s32 {_position}, {_position}, {_group}");
        writer.Line($"bra {_loop}");
        writer.Place(_done);
    }

    /// <summary>Adds up what the threads of a group have, and writes it to the target, or to the place of this
    /// piece.</summary>
    public void Finish<P>(string sum, ElementText target, bool isWhole)
        where P : struct, IPrecision
    {
        var writer = PtxWriter.Current;
        if (_group > 1)
        {
            AddUpGroup(sum);
        }

        var isFirst = writer.Test("eq.u32", _lane, "0");
        var hasPiece = writer.Test("lt.u32", _number, $"{_pieces}");
        var writes = writer.Do(Register.Predicate, "and.pred", isFirst, hasPiece);
        if (isWhole)
        {
            var value = TapeOperations.Narrow<P>(new PtxLanes<Double64>(sum));
            var address = target.At(new Coordinates(_row));
            writer.Line($"@{writes} st.global.{PtxLanes<P>.Number} [{address}], {value.Name}");
        }
        else
        {
            var address = writer.Do(Register.Long, "mad.wide.u32", _number, "8", target.First);
            writer.Line($"@{writes} st.global.f64 [{address}], {sum}");
        }
    }

    /// <summary>Halves the number of threads that hold a part of the sum, until one holds all.</summary>
    private void AddUpGroup(string sum)
    {
        var writer = PtxWriter.Current;
        var place = writer.Do(Register.Word, "mad.lo.s32", _thread, "8", writer.Shared("sums", 8 * KernelText.Threads));
        writer.Line($"st.shared.f64 [{place}], {sum}");
        writer.Line("bar.sync 0");
        for (var half = _group / 2; half > 0; half /= 2)
        {
            var adds = writer.Test("lt.u32", _lane, $"{half}");
            var other = writer.New(Register.Long);
            writer.Line($"@{adds} ld.shared.f64 {other}, [{place}+{8 * half}]");
            writer.Line($"@{adds} add.rn.f64 {sum}, {sum}, {other}");
            writer.Line($"@{adds} st.shared.f64 [{place}], {sum}");
            writer.Line("bar.sync 0");
        }
    }
}
