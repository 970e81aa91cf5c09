namespace Curvature.Tests

open System
open Curvature
open Curvature.FSharp

/// Matrices with known properties, in Float64.
[<RequireQualifiedAccess>]
module Matrices =

    /// Entries uniform on [−1, 1).
    let random (seed: int) (rows: int) (columns: int) : Tensor =
        let random = Random seed
        Array.init (rows * columns) (fun _ -> 2.0 * random.NextDouble() - 1.0) |> Tensor.ofArray [ rows; columns ]

    /// Symmetric, with entries between −1 and 1.
    let symmetric (seed: int) (n: int) : Tensor =
        let a = random seed n n
        0.5 * (a + Tensor.transpose a)

    /// Symmetric, with no negative eigenvalue.
    let semidefinite (seed: int) (n: int) : Tensor =
        let a = random seed n n
        Tensor.matmul a (Tensor.transpose a)

    /// Rows of 1, 2, 3, …
    let counting (n: int) : Tensor = Array.init (n * n) (fun i -> float (i + 1)) |> Tensor.ofArray [ n; n ]

    let trace (a: Tensor) : float =
        let n = a.Shape[0]
        let values = a.ToArray()
        Seq.sumBy (fun i -> values[i * n + i]) (seq { 0 .. n - 1 })

    let diagonal (a: Tensor) : float[] =
        let n = a.Shape[0]
        let values = a.ToArray()
        Array.init n (fun i -> values[i * n + i])

    let squaredNorm (a: Tensor) : float = a.ToArray() |> Array.sumBy (fun x -> x * x)

    /// The eigenvalues of the matrices on which trace estimators are compared (Epperly, Tropp & Webber 2024, section
    /// 5).
    let spectra (n: int) : (string * float[]) list =
        [
            "flat", Array.init n (fun i -> 1.0 + 2.0 * float i / float (n - 1))
            "poly", Array.init n (fun i -> Math.Pow(float (i + 1), -2.0))
            "exp", Array.init n (fun i -> Math.Pow(0.7, float i))
            "step", Array.init n (fun i -> if i < 50 then 1.0 else 1e-3)
        ]

    /// Rows of a random orthonormal basis, the same for the same seed.
    let orthogonal (seed: int) (n: int) : Tensor =
        let basis = OrthonormalBasis(n, DType.Float64)
        let block = 50

        for first in 0..block .. n - 1 do
            let vectors =
                Probe.draw Probe.gaussian (Key.OfSeed(int64 seed)) n (first, min block (n - first)) DType.Float64

            basis.Extend vectors |> ignore

        Seq.toList basis.Panels.Blocks |> Tensor.concat 0

    /// A symmetric matrix with these eigenvalues in a given orthonormal basis.
    let withEigenvalues (basis: Tensor) (eigenvalues: float[]) : Tensor =
        let column = Tensor.ofArray [ eigenvalues.Length; 1 ] eigenvalues
        let a = Tensor.matmul (Tensor.transpose basis) (column * basis)
        0.5 * (a + Tensor.transpose a)
