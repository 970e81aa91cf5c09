namespace Curvature.Kernels;

/// <summary>The code of a tape made ready to run. Instructions that no output needs are left out. A product that only
/// one sum uses becomes a multiply-add. Each output that is stored is the result of a step.</summary>
internal sealed class TapeCode
{
    private readonly TapeDescription _tape;
    private readonly List<TapeStep> _steps = [];
    private readonly TapeValue[] _values;
    private readonly int[] _uses;

    public TapeCode(TapeDescription tape)
    {
        _tape = tape;
        _uses = CountUses(tape);
        _values = new TapeValue[FirstResult + tape.Code.Length];
        for (var i = 0; i < FirstResult; i++)
        {
            _values[i] = i < tape.Inputs.Length
                ? new TapeValue(TapeValueKind.Input, i)
                : new TapeValue(TapeValueKind.Constant, i - tape.Inputs.Length);
        }

        var fused = FindFusedProducts();
        for (var i = 0; i < tape.Code.Length; i++)
        {
            var register = FirstResult + i;
            if (_uses[register] > 0 && !fused.Contains(register))
            {
                _values[register] = Emit(Translate(tape.Code[i]));
            }
        }

        Outputs = [.. tape.Outputs.Select(output =>
            output.SummedAxes > 0 ? _values[output.Register] : ResultOf(_values[output.Register]))];
    }

    /// <summary>The steps, in order.</summary>
    public IReadOnlyList<TapeStep> Steps => _steps;

    /// <summary>For each output, its value: the result of a step if it is stored, anything if it is summed.</summary>
    public TapeValue[] Outputs { get; }

    private int FirstResult => _tape.Inputs.Length + _tape.Constants.Length;

    /// <summary>How often each register is used on the way to an output.</summary>
    private static int[] CountUses(TapeDescription tape)
    {
        var firstResult = tape.Inputs.Length + tape.Constants.Length;
        var uses = new int[firstResult + tape.Code.Length];
        foreach (var output in tape.Outputs)
        {
            uses[output.Register]++;
        }

        for (var i = tape.Code.Length - 1; i >= 0; i--)
        {
            if (uses[firstResult + i] > 0)
            {
                var operands = OpCodes.Operands(tape.Code[i].Op);
                uses[tape.Code[i].A]++;
                uses[tape.Code[i].B] += operands > 1 ? 1 : 0;
                uses[tape.Code[i].C] += operands > 2 ? 1 : 0;
            }
        }

        return uses;
    }

    private HashSet<int> FindFusedProducts()
    {
        var fused = new HashSet<int>();
        for (var i = 0; i < _tape.Code.Length; i++)
        {
            if (_uses[FirstResult + i] > 0 && ProductIn(_tape.Code[i], out _) is { } register)
            {
                fused.Add(register);
            }
        }

        return fused;
    }

    /// <summary>The register of a product that only this sum uses, and what is added to it; null if there is
    /// none.</summary>
    private int? ProductIn(Instruction sum, out int addend)
    {
        addend = sum.B;
        if (sum.Op != OpCode.Add)
        {
            return null;
        }

        if (IsProductUsedOnce(sum.A))
        {
            return sum.A;
        }

        addend = sum.A;
        return IsProductUsedOnce(sum.B) ? sum.B : null;
    }

    private bool IsProductUsedOnce(int register) =>
        register >= FirstResult && _uses[register] == 1 && _tape.Code[register - FirstResult].Op == OpCode.Multiply;

    private TapeStep Translate(Instruction instruction)
    {
        if (ProductIn(instruction, out var addend) is { } register)
        {
            var product = _tape.Code[register - FirstResult];
            return new TapeStep(OpCode.MultiplyAdd, _values[product.A], _values[product.B], _values[addend]);
        }

        var operands = OpCodes.Operands(instruction.Op);
        var a = _values[instruction.A];
        var b = operands > 1 ? _values[instruction.B] : a;
        var c = operands > 2 ? _values[instruction.C] : a;
        return new TapeStep(instruction.Op, a, b, c);
    }

    private TapeValue Emit(TapeStep step)
    {
        _steps.Add(step);
        return new TapeValue(TapeValueKind.Result, _steps.Count - 1);
    }

    private TapeValue ResultOf(TapeValue value) =>
        value.Kind == TapeValueKind.Result ? value : Emit(new TapeStep(null, value, value, value));
}
