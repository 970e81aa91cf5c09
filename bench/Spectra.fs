namespace Curvature.Bench

open System
open Curvature
open Curvature.FSharp

/// The matrices on which estimators of trace and diagonal are compared (Epperly, Tropp & Webber 2024, section 4), n =
/// 1000.
module Spectra =

    let n = 1000

    let eigenvalues: (string * float[]) list =
        [
            "flat", Array.init n (fun i -> 1.0 + 2.0 * float i / float (n - 1))
            "poly", Array.init n (fun i -> Math.Pow(float (i + 1), -2.0))
            "exp", Array.init n (fun i -> Math.Pow(0.7, float i))
            "step", Array.init n (fun i -> if i < 50 then 1.0 else 1e-3)
            "slowexp", Array.init n (fun i -> Math.Pow(0.9, float i))
        ]

    let private basis =
        lazy
            (let basis = OrthonormalBasis(n, DType.Float64)

             for first in 0..50 .. n - 1 do
                 Probe.draw Probe.gaussian (Key.OfSeed 1000L) n (first, 50) DType.Float64 |> basis.Extend |> ignore

             Seq.toList basis.Panels.Blocks |> Tensor.concat 0)

    /// QᵀΛQ with a random orthogonal Q, the same for every spectrum: signs see the basis, other than vectors of the
    /// sphere.
    let dense (eigenvalues: float[]) : LinearOperator =
        let a = Tensor.matmul (Tensor.transpose basis.Value) (Tensor.ofArray [ n; 1 ] eigenvalues * basis.Value)

        0.5 * (a + Tensor.transpose a)
        |> LinearOperator.ofSymmetricMatrix
        |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

    /// The same eigenvalues on the diagonal.
    let diagonal (eigenvalues: float[]) : LinearOperator =
        Tensor.ofArray [ n ] eigenvalues
        |> LinearOperator.ofDiagonal
        |> LinearOperator.claim OperatorProperties.PositiveSemidefinite
