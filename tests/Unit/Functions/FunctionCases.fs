namespace Curvature.Tests.Unit

open System
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Symmetric matrices with known spectra, and what functions of them are.
module FunctionCases =

    let n = 40
    let private basis = lazy (Matrices.orthogonal 7 n)

    /// Five vectors as a block, and the first of them.
    let vectors (seed: int) : Tensor * Tensor =
        let block = Matrices.random seed 5 n
        Tensor.item 0 0 block, block

    let diagonal (values: float list) : LinearOperator =
        LinearOperator.ofDiagonal (Tensor.ofArray [ values.Length ] (List.toArray values))

    /// Eigenvalues by the name of their kind.
    let spectra: (string * float[]) list =
        [
            "flat", Array.init n (fun i -> 1.0 + 2.0 * float i / float n)
            "decaying", Array.init n (fun i -> Math.Pow(0.7, float i))
            "outlier", Array.init n (fun i -> if i = 0 then 20.0 else 0.5 + 0.01 * float i)
            "low rank", Array.init n (fun i -> if i < 6 then float (i + 1) else 0.0)
            "singular", Array.init n (fun i -> 0.1 * float i)
            "indefinite", Array.init n (fun i -> if i % 3 = 0 then -0.5 - 0.05 * float i else 0.3 + 0.1 * float i)
        ]

    let eigenvalues name = spectra |> List.find (fst >> (=) name) |> snd
    let matrix name = Matrices.withEigenvalues basis.Value (eigenvalues name)
    let isPositive name = Array.min (eigenvalues name) > 0.0
    let isSemidefinite name = Array.min (eigenvalues name) >= 0.0

    let operatorOf dtype name =
        let a = LinearOperator.ofSymmetricMatrix (Tensor.convert dtype (matrix name))

        if isSemidefinite name then
            LinearOperator.claim OperatorProperties.PositiveSemidefinite a
        else
            a

    /// f(A)v for the rows of a block, from all eigenpairs of the matrix that the operator multiplies by.
    let truth (dtype: DType) name (f: float -> float) (block: Tensor) : Tensor =
        let rounded = matrix name |> Tensor.convert dtype |> Tensor.convert DType.Float64
        let values, vectors = Tensor.eigh rounded
        let least = if isSemidefinite name then 0.0 else -infinity
        let ofValues = values.ToArray() |> Array.map (max least >> f) |> Tensor.ofArray [ n ]
        let wide = Tensor.convert DType.Float64 block
        Tensor.matmul (Tensor.matmul wide vectors * ofValues) (Tensor.transpose vectors)

    /// A function, and whether it is defined on a kind of spectrum.
    let functions: (SpectralFunction * (string -> bool)) list =
        [
            SpectralFunction.exp, (fun _ -> true)
            SpectralFunction.expOf -0.5, (fun _ -> true)
            SpectralFunction.log, isPositive
            SpectralFunction.sqrt, isSemidefinite
            SpectralFunction.inverseSqrt, isPositive
            SpectralFunction.inverse, isPositive
            SpectralFunction.sign, (fun name -> isPositive name || name = "indefinite")
            SpectralFunction.ofFunction "cos" cos, (fun _ -> true)
        ]

    let rowNorms (block: Tensor) =
        (Tensor.sqrt (Tensor.sumAxes [ 1 ] (Tensor.square (Tensor.convert DType.Float64 block)))).ToArray()
