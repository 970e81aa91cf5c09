/// Laws of functions of operators, singular values and solvers for operators of any kind.
module Curvature.Tests.Properties.FunctionLaws

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private law name property = lawOver [ typeof<SpectrumCases> ] 60 name property

let private vectorOf (case: SpectrumCase) : Tensor = Tensor.normal case.Key DType.Float64 [ case.Size ]

let private norm (t: Tensor) = (Tensor.norm t).ToScalar()

/// The operator divided by its norm.
let private scaled (case: SpectrumCase) = if case.Norm > 0.0 then (1.0 / case.Norm) * case.Operator else case.Operator

let private tight = MatrixFunctionOptions.Default.WithTolerance 1e-12

let private apply f (operator: LinearOperator) v = MatrixFunction.applyWith tight f operator v

/// The error of a product is not more than it claims.
let private claims (case: SpectrumCase) (truth: Tensor) (found: FunctionProduct) =
    let off = norm (truth - found.Value)
    // The truth itself is rounded.
    let rounding = 1e-13 * norm truth

    Expect.isTrue
        $"{found}: off by {off} where {found.Errors[0]} is claimed; {case}"
        (off <= found.Errors[0] + rounding)

[<Tests>]
let tests =
    testList "Properties.FunctionLaws" [
        law "the identity of an operator is the operator" (fun (case: SpectrumCase) ->
            let v = vectorOf case
            let found = apply (SpectralFunction.ofFunction "identity" id) case.Operator v
            let truth = case.Operator.Apply v

            Expect.isLessThanOrEqual
                $"{found}; {case}"
                (norm (truth - found.Value), 1e-12 * (1.0 + case.Norm) * norm v))

        law "exp(A)exp(−A)v = v" (fun (case: SpectrumCase) ->
            let a, v = scaled case, vectorOf case
            let once = apply (SpectralFunction.expOf -1.0) a v
            let twice = apply SpectralFunction.exp a once.Value
            // e amplifies the error of the first product at most e times.
            let allowed = Math.E * once.Errors[0] + twice.Errors[0] + 1e-13 * norm v
            Expect.isLessThanOrEqual $"{once}; {twice}; {case}" (norm (v - twice.Value), allowed))

        law "the square root, twice, is the operator" (fun (case: SpectrumCase) ->
            let square = scaled case * scaled case

            let positive =
                LinearOperator.claim OperatorProperties.PositiveSemidefinite square |> LinearOperator.shift 0.1

            let v = vectorOf case
            let once = apply SpectralFunction.sqrt positive v
            let twice = apply SpectralFunction.sqrt positive once.Value
            let allowed = 1.1 * once.Errors[0] + twice.Errors[0] + 1e-13 * norm v
            Expect.isLessThanOrEqual $"{once}; {twice}; {case}" (norm (positive.Apply v - twice.Value), allowed))

        law "a limit of products claims true errors, for functions with a bound" (fun (case: SpectrumCase) ->
            let a, v = scaled case, vectorOf case
            let bounds = SpectrumBounds.Unknown.WithHigh 1.0000001
            let whole = apply SpectralFunction.exp a v

            for products in 1 .. min 6 case.Size do
                let options = tight.WithBounds(bounds).WithMaximumMatvecs products
                let found = MatrixFunction.applyWith options SpectralFunction.exp a v
                Expect.isTrue $"{found}; {case}" found.IsBound
                claims case whole.Value found)

        law "f(A) commutes with A" (fun (case: SpectrumCase) ->
            let a, v = scaled case, vectorOf case
            let left = apply SpectralFunction.exp a (a.Apply v)
            let right = a.Apply (apply SpectralFunction.exp a v).Value
            Expect.isLessThanOrEqual $"{case}" (norm (left.Value - right), 1e-11 * norm v))

        law "singular values are the sizes of eigenvalues, and claims of triplets hold" (fun (case: SpectrumCase) ->
            let count = max 1 (case.Size / 3)
            let options = EigenOptions.Default.WithKey case.Key
            let found = GolubKahan.largestWith options count case.Operator
            let sizes = case.Eigenvalues |> Array.map abs |> Array.sortDescending

            for i in 0 .. count - 1 do
                let distance = sizes |> Array.map (fun x -> abs (x - found.Values[i])) |> Array.min
                Expect.isLessThanOrEqual $"{found}; {case}" (distance, found.Errors[i] + 1e-13 * case.Norm)

            Expect.within $"the largest; {case}" (1e-8 * case.Norm) sizes[0] found.Values[0])

        law "solvers solve what can be solved" (fun (case: SpectrumCase) ->
            let least = case.Eigenvalues |> Array.map abs |> Array.min

            let a =
                if least <= 0.01 * case.Norm then
                    LinearOperator.shift (2.0 * case.Norm + 1.0) case.Operator
                else
                    case.Operator

            let b = vectorOf case
            let options = SolverOptions.Default.WithMaxIterations 2000

            for solver in [ Minres.solver; Gmres.solver case.Size; Lsqr.solver 0.0; Lsmr.solver 0.0 ] do
                let solution = Solver.solve options solver a b
                Expect.isTrue $"{solver}: {solution}; {case}" solution.IsConverged
                Expect.isLessThanOrEqual $"{solver}; {case}" (norm (b - a.Apply solution.Value), 1e-7 * norm b))
    ]
