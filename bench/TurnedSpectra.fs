namespace Curvature.Bench

open System
open Curvature
open Curvature.FSharp

/// The ten spectra on which error bars, stopping rules and choices are measured: flat, falling in several ways, of low
/// rank, with one outlier, and indefinite; turned by three random reflections, so that signs see them.
module TurnedSpectra =

    /// The name and the n eigenvalues of each.
    let all (n: int) : (string * float[]) list =
        let ofIndex f = Array.init n (fun i -> f (float i))
        let size = float n

        [
            "flat", ofIndex (fun i -> 1.0 + 0.3 * i / size)
            "uniform", ofIndex (fun i -> (i + 1.0) / size)
            "1/(i+1)", ofIndex (fun i -> 1.0 / (i + 1.0))
            "0.97^i", ofIndex (fun i -> Math.Pow(0.97, i))
            "0.7^i", ofIndex (fun i -> Math.Pow(0.7, i))
            "0.5^i", ofIndex (fun i -> Math.Pow(0.5, i))
            "rank30", ofIndex (fun i -> if i < 30.0 then 1.0 else 0.0)
            "outlier", ofIndex (fun i -> if i = 0.0 then 1e6 else i / size)
            "halves", ofIndex (fun i -> if i < size / 2.0 then 1.0 else 0.1)
            "indefinite", ofIndex (fun i -> i / size - 0.4)
        ]

    /// QᵀΛQ with Q = R₇₇R₇₈R₇₉, each R a reflection along a random vector, rounded to a type.
    let matrix (dtype: DType) (eigenvalues: float[]) : Tensor =
        let n = eigenvalues.Length

        let reflected (rows: Tensor) seed =
            let v = Tensor.normal (Key.OfSeed seed) DType.Float64 [ n ]
            let v = v / Tensor.norm v
            rows - 2.0 * Tensor.outer (Tensor.matmul rows v) v

        let q = [ 77L; 78L; 79L ] |> List.fold reflected (Tensor.eye DType.Float64 n)
        let a = Tensor.matmul (Tensor.transpose q * Tensor.ofArray [ n ] eigenvalues) q
        0.5 * (a + Tensor.transpose a) |> Tensor.convert dtype

    /// The matrix as an operator that claims what its eigenvalues allow.
    let operator (dtype: DType) (eigenvalues: float[]) : LinearOperator =
        LinearOperator.ofSymmetricMatrix (matrix dtype eigenvalues)
        |> LinearOperator.claim (
            if Array.min eigenvalues >= 0.0 then
                OperatorProperties.PositiveSemidefinite
            else
                OperatorProperties.Symmetric
        )
