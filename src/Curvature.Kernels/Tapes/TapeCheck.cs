namespace Curvature.Kernels;

/// <summary>Checks of a tape's description.</summary>
internal static class TapeCheck
{
    /// <summary>Throws where a tape is not well formed.</summary>
    public static void Validate(Tape tape)
    {
        Check.Floating(tape.DType, nameof(Tape.DType));
        Check.Shape(tape.Shape, nameof(Tape.Shape));
        ArgumentNullException.ThrowIfNull(tape.Inputs, nameof(Tape.Inputs));
        ArgumentNullException.ThrowIfNull(tape.Constants, nameof(Tape.Constants));
        ArgumentNullException.ThrowIfNull(tape.Code, nameof(Tape.Code));
        ArgumentNullException.ThrowIfNull(tape.Outputs, nameof(Tape.Outputs));

        foreach (var input in tape.Inputs)
        {
            Check.Operand(input, tape.Shape.Length, nameof(Tape.Inputs));
        }

        var registers = tape.Inputs.Length + tape.Constants.Length;
        foreach (var instruction in tape.Code)
        {
            if (!Enum.IsDefined(instruction.Op))
            {
                throw new DescriptionException($"Expected an operation of {nameof(OpCode)}, got {instruction.Op}.", nameof(Tape.Code));
            }

            var operands = OpCodes.Operands(instruction.Op);
            Register(instruction.A, registers, nameof(Tape.Code));
            Register(operands > 1 ? instruction.B : instruction.A, registers, nameof(Tape.Code));
            Register(operands > 2 ? instruction.C : instruction.A, registers, nameof(Tape.Code));
            registers++;
        }

        if (tape.Outputs.Length == 0)
        {
            throw new DescriptionException("Expected at least 1 output, got none.", nameof(Tape.Outputs));
        }

        foreach (var output in tape.Outputs)
        {
            Register(output.Register, registers, nameof(Tape.Outputs));
            if (output.SummedAxes < 0 || output.SummedAxes > tape.Shape.Length)
            {
                throw new DescriptionException(
                    $"Expected from 0 to {tape.Shape.Length} summed axes, got {output.SummedAxes}.",
                    nameof(Tape.Outputs));
            }

            Check.Operand(output.Target, tape.Shape.Length - output.SummedAxes, nameof(Tape.Outputs));
        }
    }

    private static void Register(int register, int registers, string argument)
    {
        if (register < 0 || register >= registers)
        {
            throw new DescriptionException($"Expected one of the {registers} registers set so far, got {register}.", argument);
        }
    }
}
