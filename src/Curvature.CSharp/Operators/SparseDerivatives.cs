namespace Curvature.CSharp;

/// <summary>Which entries of a derivative may differ from 0, at every point.</summary>
public static class Sparsity
{
    /// <inheritdoc cref="FSharp.Sparsity.jacobian"/>
    public static SparsityPattern Jacobian(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Sparsity.jacobian(f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Sparsity.hessian"/>
    public static SparsityPattern Hessian(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Sparsity.hessian(f.ToFSharp(), x.NotNull());
}

/// <summary>The Hessian of a scalar function as a sparse matrix, at one product per colour.</summary>
public static class SparseHessian
{
    /// <inheritdoc cref="FSharp.SparseHessian.atWith"/>
    public static SparseMatrix At(Func<Tensor, Tensor> f, Tensor x, SparseOptions? options = null) =>
        FSharp.SparseHessian.atWith(options ?? SparseOptions.Default, f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.SparseHessian.prepareWith"/>
    public static SparseDerivative Prepare(Func<Tensor, Tensor> f, Tensor x, SparseOptions? options = null) =>
        FSharp.SparseHessian.prepareWith(options ?? SparseOptions.Default, f.ToFSharp(), x.NotNull());
}

/// <summary>The Jacobian of a function as a sparse matrix, at one product per colour.</summary>
public static class SparseJacobian
{
    /// <inheritdoc cref="FSharp.SparseJacobian.atWith"/>
    public static SparseMatrix At(Func<Tensor, Tensor> f, Tensor x, SparseOptions? options = null) =>
        FSharp.SparseJacobian.atWith(options ?? SparseOptions.Default, f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.SparseJacobian.prepareWith"/>
    public static SparseDerivative Prepare(Func<Tensor, Tensor> f, Tensor x, SparseOptions? options = null) =>
        FSharp.SparseJacobian.prepareWith(options ?? SparseOptions.Default, f.ToFSharp(), x.NotNull());
}

/// <summary>Making sparse matrices, and reading and writing them: <c>SparseMatrix.FromDense(matrix)</c>,
/// <c>SparseMatrix.Read(path)</c>, <c>matrix.Write(path)</c>.</summary>
public static class SparseMatrices
{
    extension(SparseMatrix)
    {
        /// <inheritdoc cref="FSharp.SparseMatrix.ofDense"/>
        public static SparseMatrix FromDense(Tensor matrix) => FSharp.SparseMatrix.ofDense(matrix.NotNull());

        /// <inheritdoc cref="FSharp.SparseMatrix.ofEntries"/>
        public static SparseMatrix FromEntries(
            int rows, int columns, IEnumerable<(int Row, int Column, double Value)> entries) =>
            FSharp.SparseMatrix.ofEntries(rows, columns, entries.NotNull());

        /// <inheritdoc cref="FSharp.SparseMatrix.readWith"/>
        public static SparseMatrix Read(string path, ReadLimits? limits = null) =>
            FSharp.SparseMatrix.readWith(limits.OrDefault(), path.NotNull());
    }

    /// <inheritdoc cref="FSharp.SparseMatrix.write"/>
    public static void Write(this SparseMatrix matrix, string path) =>
        FSharp.SparseMatrix.write(path.NotNull(), matrix.NotNull());
}
