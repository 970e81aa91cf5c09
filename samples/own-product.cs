// An operator from a product of your own: the Laplacian of a graph, which is never written as a matrix. The graph is a
// ring of 200 members, each of whom also knows the one half-way round.
//
//     dotnet run own-product.cs
#:package Curvature.CSharp@*

using System.Globalization;
using Curvature;
using Curvature.CSharp;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
const int Members = 200;

// Lx: for each member, the sum of the differences to those whom he knows.
static double[] Laplacian(double[] x)
{
    var y = new double[Members];
    for (var i = 0; i < Members; i++)
    {
        foreach (var other in new[] { i + 1, i + Members - 1, i + (Members / 2) })
        {
            y[i] += x[i] - x[other % Members];
        }
    }

    return y;
}

var laplacian = LinearOperator
    .FromDelegate(DType.Float64, rows: Members, columns: Members, Laplacian)
    .Claim(OperatorProperties.PositiveSemidefinite)
    .Named("Laplacian");

Console.WriteLine($"trace {laplacian.EstimateTrace(StoppingRule.Matvecs(50), Key.OfSeed(1))}");
Console.WriteLine($"trace {laplacian.ExactTrace()}");

// Without its last row and column the Laplacian is definite. Its determinant is the number of trees that connect all
// members (Kirchhoff 1847).
var grounded = laplacian.Block(0, Members - 1);
var logDeterminant = grounded.StochasticLanczos(probes: 20, steps: 60, Key.OfSeed(2)).LogDeterminant();
Console.WriteLine($"ln det {logDeterminant}, of {logDeterminant.Matvecs} products");

// The effective dimension at a damping λ is tr A(A + λI)⁻¹: how many directions the operator holds against λ.
var sample = laplacian.StochasticLanczos(probes: 20, steps: 60, Key.OfSeed(3));
Console.WriteLine($"effective dimension at 1: {sample.EffectiveDimension(1.0)}");

var pairs = laplacian.ThickRestartLanczos(SpectrumEnd.Smallest, 3);
Console.WriteLine($"smallest eigenvalues {pairs.Values[0]:G4}, {pairs.Values[1]:G4}, {pairs.Values[2]:G4}");
