namespace Curvature.CSharp;

/// <summary>Saying more about an operator, and making new ones of others. Sums, differences, compositions and multiples
/// are the operators <c>+</c>, <c>-</c> and <c>*</c>; the transpose is
/// <see cref="LinearOperator.Transposed"/>.</summary>
public static class OperatorAlgebra
{
    /// <inheritdoc cref="FSharp.LinearOperator.named"/>
    public static LinearOperator Named(this LinearOperator linearOperator, string name) =>
        FSharp.LinearOperator.named(name.NotNull(), linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.onDevice"/>
    public static LinearOperator OnDevice(this LinearOperator linearOperator, Kernels.Device device) =>
        FSharp.LinearOperator.onDevice(device.NotNull(), linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.claim"/>
    public static LinearOperator Claim(this LinearOperator linearOperator, OperatorProperties properties) =>
        FSharp.LinearOperator.claim(properties, linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.withTranspose"/>
    public static LinearOperator WithTranspose(this LinearOperator linearOperator, Func<Tensor, Tensor> f) =>
        FSharp.LinearOperator.withTranspose(f.ToFSharp(), linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.withDelegateTranspose"/>
    public static LinearOperator WithDelegateTranspose(
        this LinearOperator linearOperator, Func<double[], double[]> product) =>
        FSharp.LinearOperator.withDelegateTranspose(product.ToFSharp(), linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.withQuadraticForms"/>
    public static LinearOperator WithQuadraticForms(this LinearOperator linearOperator, Func<Tensor, Tensor> forms) =>
        FSharp.LinearOperator.withQuadraticForms(forms.ToFSharp(), linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.shift"/>
    public static LinearOperator Shift(this LinearOperator linearOperator, double lambda) =>
        FSharp.LinearOperator.shift(lambda, linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.damped"/>
    public static LinearOperator Damped(this LinearOperator linearOperator, double lambda) =>
        FSharp.LinearOperator.damped(lambda, linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.gram"/>
    public static LinearOperator Gram(this LinearOperator linearOperator) =>
        FSharp.LinearOperator.gram(linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.symmetricPart"/>
    public static LinearOperator SymmetricPart(this LinearOperator linearOperator) =>
        FSharp.LinearOperator.symmetricPart(linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.submatrix"/>
    public static LinearOperator Submatrix(
        this LinearOperator linearOperator, int firstRow, int rowCount, int firstColumn, int columnCount) =>
        FSharp.LinearOperator.submatrix(
            firstRow, rowCount, firstColumn, columnCount, linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.block"/>
    public static LinearOperator Block(this LinearOperator linearOperator, int first, int count) =>
        FSharp.LinearOperator.block(first, count, linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.dense"/>
    public static Tensor ToDense(this LinearOperator linearOperator) =>
        FSharp.LinearOperator.dense(linearOperator.NotNull());

    /// <inheritdoc cref="FSharp.LinearOperator.denseWithin"/>
    public static Tensor ToDense(this LinearOperator linearOperator, long limit) =>
        FSharp.LinearOperator.denseWithin(limit, linearOperator.NotNull());
}
