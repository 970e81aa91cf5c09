namespace Curvature.CSharp;

/// <summary>Making linear operators: <c>LinearOperator.FromMatrix(matrix)</c>, <c>LinearOperator.FromDelegate(…)</c>
/// for a product from another library, and others. See <see cref="Hessian"/> for second derivatives.</summary>
public static class LinearOperators
{
    extension(LinearOperator)
    {
        /// <inheritdoc cref="FSharp.LinearOperator.ofFunction"/>
        public static LinearOperator FromFunction(DType dtype, int rows, int columns, Func<Tensor, Tensor> f) =>
            FSharp.LinearOperator.ofFunction(dtype, rows, columns, f.ToFSharp());

        /// <inheritdoc cref="FSharp.LinearOperator.ofBlockFunction"/>
        public static LinearOperator FromBlockFunction(DType dtype, int rows, int columns, Func<Tensor, Tensor> f) =>
            FSharp.LinearOperator.ofBlockFunction(dtype, rows, columns, f.ToFSharp());

        /// <inheritdoc cref="FSharp.LinearOperator.ofDelegate"/>
        public static LinearOperator FromDelegate(
            DType dtype, int rows, int columns, Func<double[], double[]> product) =>
            FSharp.LinearOperator.ofDelegate(dtype, rows, columns, product.ToFSharp());

        /// <inheritdoc cref="FSharp.LinearOperator.ofMatrix"/>
        public static LinearOperator FromMatrix(Tensor matrix) => FSharp.LinearOperator.ofMatrix(matrix.NotNull());

        /// <inheritdoc cref="FSharp.LinearOperator.ofSymmetricMatrix"/>
        public static LinearOperator FromSymmetricMatrix(Tensor matrix) =>
            FSharp.LinearOperator.ofSymmetricMatrix(matrix.NotNull());

        /// <inheritdoc cref="FSharp.LinearOperator.ofDiagonal"/>
        public static LinearOperator FromDiagonal(Tensor diagonal) =>
            FSharp.LinearOperator.ofDiagonal(diagonal.NotNull());

        /// <inheritdoc cref="FSharp.LinearOperator.lowRankPlusDiagonal"/>
        public static LinearOperator LowRankPlusDiagonal(Tensor diagonal, Tensor factor, Tensor weights) =>
            FSharp.LinearOperator.lowRankPlusDiagonal(diagonal.NotNull(), factor.NotNull(), weights.NotNull());

        /// <inheritdoc cref="FSharp.LinearOperator.scalar"/>
        public static LinearOperator Scalar(DType dtype, int n, double lambda) =>
            FSharp.LinearOperator.scalar(dtype, n, lambda);

        /// <inheritdoc cref="FSharp.LinearOperator.identity"/>
        public static LinearOperator Identity(DType dtype, int n) => FSharp.LinearOperator.identity(dtype, n);

        /// <inheritdoc cref="FSharp.LinearOperator.zero"/>
        public static LinearOperator Zero(DType dtype, int rows, int columns) =>
            FSharp.LinearOperator.zero(dtype, rows, columns);

        /// <inheritdoc cref="FSharp.LinearOperator.blockDiagonal"/>
        public static LinearOperator BlockDiagonal(params IReadOnlyList<LinearOperator> blocks) =>
            FSharp.LinearOperator.blockDiagonal(blocks.ToFSharpList());

        /// <inheritdoc cref="FSharp.LinearOperator.denseLimit"/>
        public static long DenseLimit => FSharp.LinearOperator.denseLimit;
    }
}
