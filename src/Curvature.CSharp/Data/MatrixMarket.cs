namespace Curvature.CSharp;

/// <summary>Matrices in the Matrix Market's exchange format (Boisvert, Pozo &amp; Remington 1996), plain or compressed
/// by gzip: coordinate or array; real, integer or pattern; general, symmetric or skew-symmetric.</summary>
public static class MatrixMarket
{
    /// <inheritdoc cref="FSharp.MatrixMarket.readWith"/>
    public static LinearOperator Read(string path, ReadLimits? limits = null) =>
        FSharp.MatrixMarket.readWith(limits.OrDefault(), path.NotNull());

    /// <inheritdoc cref="FSharp.MatrixMarket.readStream"/>
    public static LinearOperator Read(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.MatrixMarket.readStream(limits.OrDefault(), name.NotNull(), stream.NotNull());

    /// <inheritdoc cref="FSharp.MatrixMarket.readDenseWith"/>
    public static Tensor ReadDense(string path, ReadLimits? limits = null) =>
        FSharp.MatrixMarket.readDenseWith(limits.OrDefault(), path.NotNull());
}
