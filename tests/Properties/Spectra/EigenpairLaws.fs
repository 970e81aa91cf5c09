module Curvature.Tests.Properties.EigenpairLaws

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private check (case: SpectrumCase) message condition = Expect.isTrue $"{message}: {case}" condition

/// ‖Av − λv‖ of each pair, as it is.
let private residuals (case: SpectrumCase) (values: float[]) (vectors: Tensor) =
    let products = case.Operator.Apply vectors

    values
    |> Array.mapi (fun i value -> (Tensor.norm (Tensor.item 0 i products - value * Tensor.item 0 i vectors)).ToScalar())

let private orthonormal (vectors: Tensor) =
    let count = vectors.Shape[0]
    Expect.tensorsClose 1e-12 (Tensor.eye DType.Float64 count) (Tensor.matmul vectors (Tensor.transpose vectors))

/// Every claim about a pair holds: its residual, and that an eigenvalue is as near as that.
let private holds (case: SpectrumCase) (values: float[]) (vectors: Tensor) (claims: float[]) =
    let rounding = 1e-13 * case.Norm
    orthonormal vectors

    Array.iter2
        (fun found claim -> check case $"residual {found}, claimed {claim}" (found <= claim + rounding))
        (residuals case values vectors)
        claims

    Array.iter2
        (fun value claim ->
            let distance = case.Eigenvalues |> Array.map (fun x -> abs (x - value)) |> Array.min

            check
                case
                $"{value} is {distance} from an eigenvalue, and {claim} is claimed"
                (distance <= claim + rounding))
        values
        claims

/// No eigenvalue is found more often than it is there.
let private hasNoGhosts (case: SpectrumCase) (values: float[]) =
    let near (x: float) = Array.filter (fun y -> abs (x - y) <= 1e-9 * case.Norm) >> Array.length

    for value in values do
        let found, there = near value values, near value case.Eigenvalues
        check case $"{value} is found {found} times, and there {there} times" (found <= there)

let private law name property = lawOver [ typeof<SpectrumCases> ] 60 name property

[<Tests>]
let tests =
    testList "Properties.EigenpairLaws" [
        law "Lanczos claims true residuals, at every number of steps" (fun (case: SpectrumCase) ->
            for steps in [ 1; max 1 (case.Size / 2); case.Size ] do
                let result = Lanczos.run steps case.Key case.Operator
                holds case result.RitzValues result.RitzVectors result.ResidualBounds)

        law "Lanczos has no ghosts after as many steps as there are dimensions" (fun (case: SpectrumCase) ->
            hasNoGhosts case (Lanczos.run case.Size case.Key case.Operator).RitzValues)

        law "Ritz values interlace with those of one step less, within the spectrum" (fun (case: SpectrumCase) ->
            let slack = 1e-12 * case.Norm

            for steps in 1 .. min 8 (case.Size - 1) do
                let fewer, more =
                    Lanczos.run steps case.Key case.Operator, Lanczos.run (steps + 1) case.Key case.Operator

                let a, b = fewer.RitzValues, more.RitzValues
                let least, largest = case.Eigenvalues[0], Array.last case.Eigenvalues
                check case $"%A{b} inside" (b[0] >= least - slack && Array.last b <= largest + slack)

                if b.Length = a.Length + 1 then
                    for i in 0 .. a.Length - 1 do
                        check
                            case
                            $"{a[i]} between {b[i]} and {b[i + 1]}"
                            (b[i] - slack <= a[i] && a[i] <= b[i + 1] + slack))

        law "shifting and scaling an operator shifts and scales its spectral measure" (fun (case: SpectrumCase) ->
            let steps = max 1 (case.Size / 3)

            let integrate f (result: LanczosResult) =
                Array.fold2 (fun sum x w -> sum + w * f x) 0.0 result.RitzValues result.Weights

            let own = Lanczos.run steps case.Key case.Operator

            for scale, shift in [ 2.0, 0.0; -3.0, 1.0; 1.0, 5.0 ] do
                let moved = scale * case.Operator |> LinearOperator.shift shift |> Lanczos.run steps case.Key
                // A function as smooth as the spectrum is wide: extra nodes of no weight, which rounding makes, do not
                // count.
                let f x = cos (x / (1.0 + case.Norm))
                Expect.close 1e-9 [| integrate (fun x -> f (scale * x + shift)) own |] [| integrate f moved |])

        law
            "thick restarts that look for copies find each end, and all eigenvalues where all are wanted"
            (fun (case: SpectrumCase) ->
                let options = EigenOptions.Default.WithMultiplicities().WithKey case.Key
                let count = max 1 (case.Size / 3)

                for wanted, expected in
                    [
                        SpectrumEnd.Largest, Array.rev case.Eigenvalues
                        SpectrumEnd.Smallest, case.Eigenvalues
                        SpectrumEnd.LargestMagnitude, case.Eigenvalues |> Array.sortByDescending abs
                    ] do
                    let pairs = ThickRestartLanczos.findWith options wanted count case.Operator
                    check case $"{pairs}" pairs.AllConverged
                    holds case pairs.Values pairs.Vectors pairs.Residuals
                    hasNoGhosts case pairs.Values
                    let size = if wanted = SpectrumEnd.LargestMagnitude then Array.map abs else id
                    Expect.close (1e-8 * (1.0 + case.Norm)) (size expected[.. count - 1]) (size pairs.Values)

                let all = ThickRestartLanczos.findWith options SpectrumEnd.Smallest case.Size case.Operator
                Expect.close 1e-10 case.Eigenvalues all.Values)

        law "what a search that ends too soon claims is true" (fun (case: SpectrumCase) ->
            let options = EigenOptions.Default.WithMaximumMatvecs(max 1 (case.Size / 2)).WithKey case.Key
            let count = max 1 (case.Size / 2)

            for pairs in
                [
                    ThickRestartLanczos.findWith options SpectrumEnd.Largest count case.Operator
                    Lobpcg.findWith options id SpectrumEnd.Largest count case.Operator
                    PowerIteration.find (PowerStop.residual 1e-6) 3 count case.Key case.Operator
                    PowerIteration.find (PowerStop.pyHessian 1e-3) 100 count case.Key case.Operator
                ] do
                holds case pairs.Values pairs.Vectors pairs.Residuals)

        law "LOBPCG finds what thick restarts find" (fun (case: SpectrumCase) ->
            let count = max 1 (case.Size / 4)
            let options = EigenOptions.Default.WithMultiplicities().WithKey(case.Key).WithMaximumMatvecs 20_000

            for wanted in [ SpectrumEnd.Largest; SpectrumEnd.Smallest ] do
                let pairs = Lobpcg.findWith options id wanted count case.Operator
                check case $"{pairs}" pairs.AllConverged
                holds case pairs.Values pairs.Vectors pairs.Residuals
                let others = ThickRestartLanczos.findWith options wanted count case.Operator
                Expect.close (1e-7 * (1.0 + case.Norm)) others.Values pairs.Values)

        law "in Float32, what is found and claimed is right to its digits" (fun (case: SpectrumCase) ->
            let operator, count = case.OperatorOf DType.Float32, max 1 (case.Size / 3)
            let options = EigenOptions.Default.WithMultiplicities().WithKey(case.Key).WithMaximumMatvecs 20_000
            let expected = Array.rev case.Eigenvalues |> Array.truncate count
            // The entries of the matrix are off by half a unit each.
            let rounding = 1e-6 * float case.Size * case.Norm

            for pairs in
                [
                    ThickRestartLanczos.findWith options SpectrumEnd.Largest count operator
                    Lobpcg.findWith options id SpectrumEnd.Largest count operator
                ] do
                check case $"{pairs}" pairs.AllConverged

                for i in 0 .. count - 1 do
                    let off = abs (pairs.Values[i] - expected[i])
                    check case $"{pairs.Values[i]} for {expected[i]}" (off <= pairs.Residuals[i] + rounding)

            let result = Lanczos.run case.Size case.Key operator

            Array.iter2
                (fun value claim ->
                    let distance = case.Eigenvalues |> Array.map (fun x -> abs (x - value)) |> Array.min
                    check case $"{value} is {distance} from an eigenvalue" (distance <= claim + rounding))
                result.RitzValues
                result.ResidualBounds)
    ]
