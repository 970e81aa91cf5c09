namespace Curvature.CSharp;

/// <summary>Making linear operators: <c>LinearOperator.FromMatrix(matrix)</c>, <c>LinearOperator.FromDelegate(…)</c> for a product
/// from another library, and others. See <see cref="Hessian"/> for second derivatives.</summary>
public static class LinearOperators
{
    extension(LinearOperator)
    {
        /// <summary>The operator of a linear function of vectors, [columns] → [rows], composed of tensor operations. Blocks of vectors
        /// run as one computation, and the transpose follows from the function by differentiation. Nothing is claimed; see
        /// <see cref="OperatorAlgebra.Claim"/>.</summary>
        public static LinearOperator FromFunction(DType dtype, int rows, int columns, Func<Tensor, Tensor> f) =>
            FSharp.LinearOperator.ofFunction(dtype, rows, columns, f.ToFSharp());

        /// <summary>The operator of a linear function of blocks, [k, columns] → [k, rows]. Its transpose is not known; see
        /// <see cref="OperatorAlgebra.WithTranspose"/>.</summary>
        public static LinearOperator FromBlockFunction(DType dtype, int rows, int columns, Func<Tensor, Tensor> f) =>
            FSharp.LinearOperator.ofBlockFunction(dtype, rows, columns, f.ToFSharp());

        /// <summary>The operator of any function that multiplies arrays of <paramref name="columns"/> numbers, giving arrays of
        /// <paramref name="rows"/>: the way to bring a product from another library. The vectors of a block are multiplied one after
        /// the other. See <see cref="OperatorAlgebra.WithDelegateTranspose"/> and <see cref="OperatorAlgebra.Claim"/>.</summary>
        public static LinearOperator FromDelegate(DType dtype, int rows, int columns, Func<double[], double[]> product) =>
            FSharp.LinearOperator.ofDelegate(dtype, rows, columns, product.ToFSharp());

        /// <summary>The operator of a matrix [rows, columns]. It is symmetric where the matrix equals its transpose exactly.</summary>
        public static LinearOperator FromMatrix(Tensor matrix) => FSharp.LinearOperator.ofMatrix(matrix.NotNull());

        /// <summary>The operator of a matrix that is symmetric up to rounding: entries may differ from their mirror images by 1e-12
        /// (<see cref="DType.Float64"/>) or 1e-5 (<see cref="DType.Float32"/>) of the largest one.</summary>
        /// <exception cref="OperatorException">They differ by more.</exception>
        public static LinearOperator FromSymmetricMatrix(Tensor matrix) =>
            FSharp.LinearOperator.ofSymmetricMatrix(matrix.NotNull());

        /// <summary>The operator that multiplies elementwise by a vector [n]: semidefinite where no entry is negative.</summary>
        public static LinearOperator FromDiagonal(Tensor diagonal) => FSharp.LinearOperator.ofDiagonal(diagonal.NotNull());

        /// <summary>diag(d) + U·diag(c)·Uᵀ for vectors d [n] and c [r] and a matrix U [n, r]. A product costs 4nr operations, and no n×n
        /// matrix is formed. Semidefinite where neither d nor c has a negative entry.</summary>
        /// <exception cref="ShapeException">The three do not fit together.</exception>
        public static LinearOperator LowRankPlusDiagonal(Tensor diagonal, Tensor factor, Tensor weights) =>
            FSharp.LinearOperator.lowRankPlusDiagonal(diagonal.NotNull(), factor.NotNull(), weights.NotNull());

        /// <summary>λ·I of size n.</summary>
        public static LinearOperator Scalar(DType dtype, int n, double lambda) => FSharp.LinearOperator.scalar(dtype, n, lambda);

        /// <summary>I of size n.</summary>
        public static LinearOperator Identity(DType dtype, int n) => FSharp.LinearOperator.identity(dtype, n);

        /// <summary>0, of any shape.</summary>
        public static LinearOperator Zero(DType dtype, int rows, int columns) => FSharp.LinearOperator.zero(dtype, rows, columns);

        /// <summary>Operators along the diagonal, zeros elsewhere.</summary>
        /// <exception cref="ArgumentRangeException">There are none.</exception>
        /// <exception cref="DTypeException">Their element types differ.</exception>
        public static LinearOperator BlockDiagonal(params IReadOnlyList<LinearOperator> blocks) =>
            FSharp.LinearOperator.blockDiagonal(blocks.ToFSharpList());

        /// <summary>The largest matrix, in entries, that <see cref="OperatorAlgebra.ToDense(LinearOperator)"/> writes out: 512 MiB of
        /// <see cref="DType.Float64"/>.</summary>
        public static long DenseLimit => FSharp.LinearOperator.denseLimit;
    }
}
