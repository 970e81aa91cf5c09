namespace Curvature.Cuda;

/// <summary>The kinds of registers that the text of a kernel uses.</summary>
internal enum Register
{
    /// <summary>32 bits: a single precision number, an integer or a mask.</summary>
    Word = 0,

    /// <summary>64 bits: a double precision number, an integer, a mask or an address.</summary>
    Long = 1,

    /// <summary>A condition.</summary>
    Predicate = 2,
}

/// <summary>Writes the text of one kernel in PTX, the assembly language that the driver of a card translates. Registers
/// hold bits of no type and are written once, but for those that loops change.</summary>
internal sealed class PtxWriter
{
    // ISA 7.0 and architecture 8.0 (Ampere) have all that is written here; the first with a maximum that keeps NaN.
    private const string Head = ".version 7.0\n.target sm_80\n.address_size 64\n";

    [ThreadStatic]
    private static PtxWriter? _current;

    private readonly StringBuilder _tables = new();
    private readonly StringBuilder _constants = new();
    private readonly StringBuilder _code = new();
    private readonly HashSet<string> _tablesWritten = [];
    private readonly Dictionary<(Register, ulong), string> _constantsWritten = [];
    private readonly List<string> _parameters = [];
    private readonly int[] _counts = new int[3];
    private int _labels;

    /// <summary>The writer that lanes write to on this thread.</summary>
    /// <remarks>The functions written over lanes make constants from nothing but a type, so that there is no other way
    /// to tell them where to write.</remarks>
    public static PtxWriter Current =>
        _current ?? throw new DeviceException("Lanes of a card's text are written only while a kernel is.");

    /// <summary>What <paramref name="body"/> writes, as a whole module with one kernel of this name.</summary>
    public static string Write(string name, Action<PtxWriter> body)
    {
        var before = _current;
        var writer = new PtxWriter();
        _current = writer;
        try
        {
            body(writer);
            return writer.Module(name);
        }
        finally
        {
            _current = before;
        }
    }

    /// <summary>A new register.</summary>
    public string New(Register kind) => Prefix(kind) + _counts[(int)kind]++.ToString(CultureInfo.InvariantCulture);

    /// <summary>Writes an instruction.</summary>
    public void Line(string instruction) => _code.Append('\t').Append(instruction).Append(";\n");

    /// <summary>Writes an instruction whose result goes to a new register, and returns that.</summary>
    public string Do(Register kind, string operation, params ReadOnlySpan<string> operands)
    {
        var result = New(kind);
        Line($"{operation} {result}, {string.Join(", ", operands)}");
        return result;
    }

    /// <summary>A condition in a new register.</summary>
    public string Test(string comparison, string a, string b) => Do(Register.Predicate, $"setp.{comparison}", a, b);

    /// <summary>A register with these bits. The same bits are written once, before all code, so that every branch finds
    /// them.</summary>
    public string Constant(Register kind, ulong bits)
    {
        if (!_constantsWritten.TryGetValue((kind, bits), out var register))
        {
            register = New(kind);
            var value = kind == Register.Word ? $"0x{(uint)bits:X8}" : $"0x{bits:X16}";
            _constants.Append($"\tmov.{(kind == Register.Word ? "b32" : "b64")} {register}, {value};\n");
            _constantsWritten[(kind, bits)] = register;
        }

        return register;
    }

    /// <summary>Adds a parameter of the kernel and returns a register that holds it.</summary>
    public string Parameter(Register kind)
    {
        var name = $"p{_parameters.Count}";
        var type = kind == Register.Word ? "u32" : "u64";
        _parameters.Add($".param .{type} {name}");
        return Do(kind, $"ld.param.{type}", $"[{name}]");
    }

    /// <summary>A new label, to be placed by <see cref="Place"/>.</summary>
    public string Label() => $"L{_labels++}";

    /// <summary>Puts a label here.</summary>
    public void Place(string label) => _code.Append(label).Append(":\n");

    /// <summary>Adds a table of 64-bit words in constant memory, and returns a register with its address.</summary>
    public string Table(string name, ReadOnlySpan<ulong> words)
    {
        if (_tablesWritten.Add(name))
        {
            var values = string.Join(", ", words.ToArray().Select(word => $"0x{word:X16}"));
            _tables.Append($".const .align 8 .b64 {name}[{words.Length}] = {{{values}}};\n");
        }

        return Do(Register.Long, "mov.u64", name);
    }

    /// <summary>Adds memory that the threads of a block share, in bytes, and returns a register with its
    /// address.</summary>
    public string Shared(string name, int bytes)
    {
        if (_tablesWritten.Add(name))
        {
            _tables.Append($".shared .align 8 .b8 {name}[{bytes}];\n");
        }

        return Do(Register.Word, "mov.u32", name);
    }

    private static string Prefix(Register kind) => kind switch
    {
        Register.Word => "%v",
        Register.Long => "%w",
        _ => "%p",
    };

    private string Module(string name)
    {
        var text = new StringBuilder(Head).Append(_tables);
        text.Append($".visible .entry {name}({string.Join(", ", _parameters)})\n{{\n");
        text.Append($"\t.reg .b32 %v<{_counts[0] + 1}>;\n");
        text.Append($"\t.reg .b64 %w<{_counts[1] + 1}>;\n");
        text.Append($"\t.reg .pred %p<{_counts[2] + 1}>;\n");
        return text.Append(_constants).Append(_code).Append("\tret;\n}\n").ToString();
    }
}
