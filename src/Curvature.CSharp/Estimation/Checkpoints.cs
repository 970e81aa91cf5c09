namespace Curvature.CSharp;

/// <summary>Runs that can be interrupted, and continued later with the same bits.</summary>
public static class Checkpoints
{
    /// <inheritdoc cref="FSharp.Checkpoint.run"/>
    public static T RunWithCheckpoint<T>(
        this LinearOperator linearOperator, string path, Func<LinearOperator, T> computation) =>
        FSharp.Checkpoint.run(path.NotNull(), computation.ToFSharp(), linearOperator.NotNull());
}
