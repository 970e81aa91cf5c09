namespace Curvature.Cuda;

/// <summary>Tapes, whose kernels are written when they are asked for.</summary>
internal static class TapePlans
{
    /// <summary>The launches of a tape.</summary>
    /// <param name="tape">What is computed.</param>
    /// <param name="vectors">Whether the addresses of all arrays are multiples of 16.</param>
    public static KernelPlan Make(TapeDescription tape, bool vectors)
    {
        ArgumentNullException.ThrowIfNull(tape);
        var text = TapeText.Of(tape, vectors);
        var name = $"map {Elements.Describe(tape.Shape)} {tape.DType}: "
            + string.Join(' ', tape.Code.Select(instruction => instruction.Op));
        if (text.Total == 0)
        {
            return new KernelPlan(name, [.. tape.Outputs.Where(output => output.SummedAxes > 0)
                .Select(output => (output, axes: Kept(tape, output)))
                .Where(sum => sum.axes.Count > 0)
                .Select(sum => CopyPlans.Zeros(tape.DType, Target(tape, sum.output), sum.axes))]);
        }

        var workspaces = new List<long>();
        var arguments = new List<Argument>();
        var sums = new List<Launch>();
        arguments.AddRange(tape.Inputs.Select(input => ArrayArgument.Of(input.Place, tape.DType)));
        for (var i = 0; i < tape.Outputs.Length; i++)
        {
            var output = tape.Outputs[i];
            var target = Target(tape, output);
            var perSum = text.PiecesPerSum[i];
            if (perSum == 0)
            {
                arguments.Add(target);
                continue;
            }

            var kept = Kept(tape, output);
            var pieces = new WorkspaceArgument(workspaces.Count);
            workspaces.Add(kept.Count * perSum * sizeof(double));
            arguments.Add(pieces);
            sums.Add(ReductionPlans.AddPieces(tape.DType, pieces, target, kept, perSum));
        }

        var launch = new Launch(
            new KernelModule(TapeText.Name, text.Kernel.Text),
            TapeText.Name,
            Grid.OfBlocks(text.Kernel.Blocks),
            [.. arguments]);
        return new KernelPlan(name, [launch, .. sums]) { Workspaces = [.. workspaces] };
    }

    private static ArrayArgument Target(TapeDescription tape, TapeOutput output) =>
        ArrayArgument.Of(output.Target.Place, tape.DType);

    /// <summary>The axes of an output's target, in the order of the shape.</summary>
    private static AxisWalk Kept(TapeDescription tape, TapeOutput output) => AxisWalk.InOrder(
        tape.Shape.Take(tape.Shape.Length - output.SummedAxes)
            .Select((size, axis) => new WalkAxis(size, 0, output.Target.Strides[axis])));
}
