namespace Curvature.CSharp;

/// <summary>Matrices in the Matrix Market's exchange format (Boisvert, Pozo &amp; Remington 1996), plain or compressed by gzip: coordinate
/// or array; real, integer or pattern; general, symmetric or skew-symmetric.</summary>
public static class MatrixMarket
{
    /// <summary>The operator of a file, <see cref="DType.Float64"/>, whose products cost an operation for each entry that is not 0.
    /// Symmetric where the file says so. An entry takes 64 bytes of the limits.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">The file is missing, malformed, cut short or exceeds the limits; the message
    /// names the line.</exception>
    public static LinearOperator Read(string path, ReadLimits? limits = null) =>
        FSharp.MatrixMarket.readWith(limits.OrDefault(), path.NotNull());

    /// <summary>The operator of a stream that can seek.</summary>
    /// <param name="stream">What to read.</param>
    /// <param name="name">What messages call it, and the operator's name.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">It is malformed, cut short or exceeds the limits; the message names the
    /// line.</exception>
    public static LinearOperator Read(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.MatrixMarket.readStream(limits.OrDefault(), name.NotNull(), stream.NotNull());

    /// <summary>The matrix [rows, columns] of a file, <see cref="DType.Float64"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">The file is missing, malformed, cut short or exceeds the limits; the message
    /// names the line.</exception>
    /// <exception cref="ArgumentRangeException">The matrix has more than <c>LinearOperator.DenseLimit</c> entries.</exception>
    public static Tensor ReadDense(string path, ReadLimits? limits = null) =>
        FSharp.MatrixMarket.readDenseWith(limits.OrDefault(), path.NotNull());
}
