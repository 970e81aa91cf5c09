using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/sparse.md.</summary>
public sealed class Sparse
{
    private static readonly Tensor X = Tensor.Normal(Key.OfSeed(1), DType.Float64, 1000);

    private static Tensor Rosenbrock(Tensor x)
    {
        var n = x.Size;
        var (left, right) = (x[..(n - 1)], x[1..]);
        return (100.0 * (right - left.Square()).Square() + (1.0 - left).Square()).Sum();
    }

    [Test]
    public void Hessians()
    {
        var x = X;

        var hessian = SparseHessian.At(Rosenbrock, x);
        var entry = hessian[3, 4];                          // 0 where none is kept
        var product = hessian.Apply(x);
        var trace = hessian.Diagonal.Sum();

        Assert.That(entry, Is.EqualTo(-400.0 * x[3].ToScalar()).Within(1e-10));
        Assert.That(product.Shape, Is.EqualTo(x.Shape));
        Assert.That(trace.ToScalar(), Is.EqualTo(Differentiate.Laplacian(Rosenbrock, x).ToScalar()).Within(1e-6));

        var path = Path.Combine(Path.GetTempPath(), "rosenbrock.mtx");
        hessian.Write(path);
        var read = SparseMatrix.Read(path);

        Assert.That(read.Values.ToArray(), Is.EqualTo(hessian.Values.ToArray()));
        File.Delete(path);
    }

    [Test]
    public void AtManyPoints()
    {
        var x = X;

        var prepared = SparseHessian.Prepare(Rosenbrock, x);
        Console.WriteLine(prepared); // sparse Hessian of 1000 by 1000, 2998 entries, 3 colours of columns

        foreach (var scale in new[] { 0.5, 1.0, 2.0 })
        {
            var here = prepared.At(scale * x);              // three products
            Console.WriteLine(here.Diagonal.Sum().ToScalar());
        }

        Assert.That(prepared.ColourCount, Is.EqualTo(3));
    }

    [Test]
    public void TwoWaysToReadEntries()
    {
        var x = X;

        var options = SparseOptions.Default.WithRecovery(RecoveryMethod.Substitution);
        var fewer = SparseHessian.Prepare(Rosenbrock, x, options);    // 2 colours

        Assert.That(fewer.ColourCount, Is.EqualTo(2));
    }

    [Test]
    public void Jacobians()
    {
        var x = X;

        Tensor Residuals(Tensor x) => Tensor.Concat(0, x.Sin(), x.Square().Sum().Reshape(1));

        var jacobian = SparseJacobian.Prepare(Residuals, x);
        Console.WriteLine(jacobian); // sparse Jacobian of 1001 by 1000, 2000 entries, 2 colours of rows
        var j = jacobian.At(x);

        Assert.That(jacobian.IsByRows && jacobian.ColourCount == 2);
        Assert.That(j[1000, 7], Is.EqualTo(2.0 * x[7].ToScalar()).Within(1e-14));
    }

    [Test]
    public void Patterns()
    {
        var x = X;

        var pattern = Sparsity.Hessian(Rosenbrock, x[..5]);
        Console.WriteLine(pattern);
        var isThere = pattern.Contains(0, 2);

        Assert.That(isThere, Is.False);
        Assert.That(pattern.Count, Is.EqualTo(13));
    }

    [Test]
    public void MatricesOfEntries()
    {
        var matrix = SparseMatrix.FromEntries(2, 3, [(0, 1, 4.0), (1, 0, -1.0)]);
        Assert.That(matrix[0, 1], Is.EqualTo(4.0));
        Assert.That(SparseMatrix.FromDense(matrix.ToDense()).Count, Is.EqualTo(2));
        Assert.That(Sparsity.Jacobian(x => x.Square(), X[..3]).Count, Is.EqualTo(3));
        Assert.That(SparseJacobian.At(x => x.Square(), X[..3]).Count, Is.EqualTo(3));

        var error = Assert.Throws<ColouringException>(() => SparseHessian.At(x => x.Sum().Square(), X[..200]))!;
        Assert.That(error.Colours, Is.GreaterThan(100));
    }
}
