namespace Curvature.CSharp;

/// <summary>Runs that can be interrupted, and go on another day with the same bits.</summary>
public static class Checkpoints
{
    /// <summary>Runs a computation on an operator whose products are kept in a file, as they come. Where the file
    /// exists, the computation begins anew, but has its products from there as far as they go. The file takes the
    /// memory of all products; one more is taken to see that the operator is the same. A run that was killed, at
    /// whatever moment, goes on from the products that the file has whole.</summary>
    /// <exception cref="DataException">The file is damaged, cannot be read or written, or holds products of another operator or with other
    /// vectors, such as those of another key.</exception>
    public static T RunWithCheckpoint<T>(this LinearOperator linearOperator, string path, Func<LinearOperator, T> computation) =>
        FSharp.Checkpoint.run(path.NotNull(), computation.ToFSharp(), linearOperator.NotNull());
}
