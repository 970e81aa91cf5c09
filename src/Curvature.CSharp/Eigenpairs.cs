namespace Curvature.CSharp;

/// <summary>Eigenpairs at the ends of a spectrum by Lanczos with thick restarts (Wu &amp; Simon 2000): one product a step, the memory of
/// 2·count + 10 basis vectors.</summary>
/// <remarks>Raises <see cref="OperatorException"/> for an operator that is not square, does not claim to be symmetric or turns out not to
/// be, and <see cref="NonFiniteException"/> for products that are NaN or infinite. Pairs that the limit of products or cancelling leaves
/// unfinished are returned as not converged; cancelled before the first product, it raises <see cref="OperationCanceledException"/>.</remarks>
public static class ThickRestartLanczos
{
    /// <summary>Eigenpairs, each with a bound on its residual and none a ghost of another. A multiple eigenvalue is found once for certain:
    /// see <see cref="EigenOptions.WithMultiplicities"/>.</summary>
    /// <exception cref="ArgumentRangeException">Less than one pair or more than n are asked for.</exception>
    public static EigenPairs Find(
        LinearOperator linearOperator,
        SpectrumEnd wanted,
        int count,
        EigenOptions? options = null,
        CancellationToken cancellationToken = default) =>
        FSharp.ThickRestartLanczos.findWith(
            EigenSearch.Options(options, cancellationToken), wanted, count, linearOperator.NotNull());

    /// <inheritdoc cref="Find"/>
    public static Task<EigenPairs> FindAsync(
        LinearOperator linearOperator,
        SpectrumEnd wanted,
        int count,
        EigenOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => Find(linearOperator, wanted, count, options, cancellationToken), cancellationToken);
    }
}

/// <summary>The locally optimal block preconditioned conjugate gradient method (Knyazev 2001): a block of count + 2 products a step, the
/// memory of 6·(count + 2) vectors. Copies of multiple eigenvalues are found, as many as the block holds.</summary>
/// <remarks>Raises <see cref="OperatorException"/> for an operator that is not square, does not claim to be symmetric or turns out not to
/// be, and <see cref="NonFiniteException"/> for products that are NaN or infinite. Pairs that the limit of products or cancelling leaves
/// unfinished are returned as not converged; cancelled before the first product, it raises <see cref="OperationCanceledException"/>.</remarks>
public static class Lobpcg
{
    /// <summary>Eigenpairs at one end, <see cref="SpectrumEnd.Largest"/> or <see cref="SpectrumEnd.Smallest"/>, with their
    /// residuals.</summary>
    /// <param name="linearOperator">A symmetric operator.</param>
    /// <param name="wanted">The end.</param>
    /// <param name="count">How many.</param>
    /// <param name="options">Tolerance and limits.</param>
    /// <param name="precondition">From blocks [k, n] to blocks: about the inverse of the operator, shifted to be definite. None by
    /// default.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="ArgumentRangeException">Less than one pair or more than n are asked for, or another end.</exception>
    public static EigenPairs Find(
        LinearOperator linearOperator,
        SpectrumEnd wanted,
        int count,
        EigenOptions? options = null,
        Func<Tensor, Tensor>? precondition = null,
        CancellationToken cancellationToken = default)
    {
        precondition ??= residuals => residuals;
        return FSharp.Lobpcg.findWith(
            EigenSearch.Options(options, cancellationToken), precondition.ToFSharp(), wanted, count, linearOperator.NotNull());
    }

    /// <inheritdoc cref="Find"/>
    public static Task<EigenPairs> FindAsync(
        LinearOperator linearOperator,
        SpectrumEnd wanted,
        int count,
        EigenOptions? options = null,
        Func<Tensor, Tensor>? precondition = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => Find(linearOperator, wanted, count, options, precondition, cancellationToken), cancellationToken);
    }
}

/// <summary>What the searches for eigenpairs share.</summary>
internal static class EigenSearch
{
    public static EigenOptions Options(EigenOptions? options, CancellationToken cancellationToken)
    {
        options ??= EigenOptions.Default;
        return cancellationToken.CanBeCanceled ? options.WithCancellation(cancellationToken) : options;
    }
}
