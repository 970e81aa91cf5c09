namespace Curvature.CSharp;

/// <summary>Saying more about an operator, and making new ones of others. Sums, differences, compositions and multiples are the operators
/// <c>+</c>, <c>-</c> and <c>*</c>; the transpose is <see cref="LinearOperator.Transposed"/>.</summary>
public static class OperatorAlgebra
{
    /// <summary>The operator under another name, for messages and reports.</summary>
    public static LinearOperator Named(this LinearOperator linearOperator, string name) =>
        FSharp.LinearOperator.named(name.NotNull(), linearOperator.NotNull());

    /// <summary>The operator for vectors on another device, where its function multiplies.</summary>
    public static LinearOperator OnDevice(this LinearOperator linearOperator, Kernels.Device device) =>
        FSharp.LinearOperator.onDevice(device.NotNull(), linearOperator.NotNull());

    /// <summary>Claims properties of a square operator, beside those that it has. Nothing is checked.</summary>
    /// <exception cref="OperatorException">The operator is not square.</exception>
    public static LinearOperator Claim(this LinearOperator linearOperator, OperatorProperties properties) =>
        FSharp.LinearOperator.claim(properties, linearOperator.NotNull());

    /// <summary>Gives the products with the transpose, as a function of blocks [k, rows] → [k, columns].</summary>
    public static LinearOperator WithTranspose(this LinearOperator linearOperator, Func<Tensor, Tensor> f) =>
        FSharp.LinearOperator.withTranspose(f.ToFSharp(), linearOperator.NotNull());

    /// <summary>Gives the products with the transpose, as a function of arrays.</summary>
    public static LinearOperator WithDelegateTranspose(this LinearOperator linearOperator, Func<double[], double[]> product) =>
        FSharp.LinearOperator.withDelegateTranspose(product.ToFSharp(), linearOperator.NotNull());

    /// <summary>Gives a cheaper way to vᵀAv than the product, as a function of blocks [k, n] → [k].</summary>
    /// <exception cref="OperatorException">The operator is not square.</exception>
    public static LinearOperator WithQuadraticForms(this LinearOperator linearOperator, Func<Tensor, Tensor> forms) =>
        FSharp.LinearOperator.withQuadraticForms(forms.ToFSharp(), linearOperator.NotNull());

    /// <summary>A + λI.</summary>
    /// <exception cref="OperatorException">The operator is not square.</exception>
    public static LinearOperator Shift(this LinearOperator linearOperator, double lambda) =>
        FSharp.LinearOperator.shift(lambda, linearOperator.NotNull());

    /// <summary>A + λI with λ ≥ 0, as in Levenberg's and Marquardt's method: a semidefinite operator becomes definite.</summary>
    /// <exception cref="ArgumentRangeException">The damping is negative.</exception>
    /// <exception cref="OperatorException">The operator is not square.</exception>
    public static LinearOperator Damped(this LinearOperator linearOperator, double lambda) =>
        FSharp.LinearOperator.damped(lambda, linearOperator.NotNull());

    /// <summary>AᵀA, semidefinite. Costs a product with A and one with Aᵀ; its quadratic forms ‖Av‖² only the first.</summary>
    public static LinearOperator Gram(this LinearOperator linearOperator) =>
        FSharp.LinearOperator.gram(linearOperator.NotNull());

    /// <summary>The symmetric part (A + Aᵀ)/2, which has the same quadratic forms.</summary>
    /// <exception cref="OperatorException">The operator is not square.</exception>
    public static LinearOperator SymmetricPart(this LinearOperator linearOperator) =>
        FSharp.LinearOperator.symmetricPart(linearOperator.NotNull());

    /// <summary>Rows <paramref name="firstRow"/> … of columns <paramref name="firstColumn"/> …: costs a product of the whole. A block on the
    /// diagonal keeps symmetry, definiteness and quadratic forms.</summary>
    /// <exception cref="ArgumentRangeException">A range is outside the operator.</exception>
    public static LinearOperator Submatrix(
        this LinearOperator linearOperator, int firstRow, int rowCount, int firstColumn, int columnCount) =>
        FSharp.LinearOperator.submatrix(
            firstRow, rowCount, firstColumn, columnCount, linearOperator.NotNull());

    /// <summary>The block on the diagonal that belongs to one range of indices.</summary>
    /// <exception cref="ArgumentRangeException">The range is outside the operator.</exception>
    public static LinearOperator Block(this LinearOperator linearOperator, int first, int count) =>
        FSharp.LinearOperator.block(first, count, linearOperator.NotNull());

    /// <summary>The matrix [rows, columns]: one product a column.</summary>
    /// <exception cref="ArgumentRangeException">It would have more entries than <c>LinearOperator.DenseLimit</c>.</exception>
    public static Tensor ToDense(this LinearOperator linearOperator) =>
        FSharp.LinearOperator.dense(linearOperator.NotNull());

    /// <summary>The matrix [rows, columns] of an operator of at most <paramref name="limit"/> entries: one product a column.</summary>
    /// <exception cref="ArgumentRangeException">It would have more entries.</exception>
    public static Tensor ToDense(this LinearOperator linearOperator, long limit) =>
        FSharp.LinearOperator.denseWithin(limit, linearOperator.NotNull());
}
