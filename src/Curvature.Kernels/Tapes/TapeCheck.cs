namespace Curvature.Kernels;

/// <summary>Checks of a tape's description.</summary>
internal static class TapeCheck
{
    /// <summary>Throws where a tape is not well formed.</summary>
    public static void Validate(TapeDescription tape)
    {
        Check.Floating(tape.DType, nameof(TapeDescription.DType));
        Check.Shape(tape.Shape, nameof(TapeDescription.Shape));
        ArgumentNullException.ThrowIfNull(tape.Inputs, nameof(TapeDescription.Inputs));
        ArgumentNullException.ThrowIfNull(tape.Constants, nameof(TapeDescription.Constants));
        ArgumentNullException.ThrowIfNull(tape.Code, nameof(TapeDescription.Code));
        ArgumentNullException.ThrowIfNull(tape.Outputs, nameof(TapeDescription.Outputs));

        foreach (var input in tape.Inputs)
        {
            Check.Operand(input, tape.Shape.Length, nameof(TapeDescription.Inputs));
        }

        var registers = tape.Inputs.Length + tape.Constants.Length;
        foreach (var instruction in tape.Code)
        {
            Check.Defined(instruction.Op, nameof(TapeDescription.Code));
            var operands = OpCodes.Operands(instruction.Op);
            Register(instruction.A, registers, nameof(TapeDescription.Code));
            Register(operands > 1 ? instruction.B : instruction.A, registers, nameof(TapeDescription.Code));
            Register(operands > 2 ? instruction.C : instruction.A, registers, nameof(TapeDescription.Code));
            registers++;
        }

        if (tape.Outputs.Length == 0)
        {
            throw new DescriptionException("Expected at least 1 output, got none.", nameof(TapeDescription.Outputs));
        }

        foreach (var output in tape.Outputs)
        {
            Register(output.Register, registers, nameof(TapeDescription.Outputs));
            if (output.SummedAxes < 0 || output.SummedAxes > tape.Shape.Length)
            {
                throw new DescriptionException(
                    $"Expected from 0 to {tape.Shape.Length} summed axes, got {output.SummedAxes}.",
                    nameof(TapeDescription.Outputs));
            }

            Check.Operand(output.Target, tape.Shape.Length - output.SummedAxes, nameof(TapeDescription.Outputs));
        }
    }

    private static void Register(int register, int registers, string argument)
    {
        if (register < 0 || register >= registers)
        {
            throw new DescriptionException(
                $"Expected one of the {registers} registers set so far, got {register}.", argument);
        }
    }
}
