module Curvature.Tests.Unit.DifferentiableFunctionTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = 12
let private basis = lazy (Matrices.orthogonal 3 n)
let private fixed' = lazy (Matrices.withEigenvalues basis.Value (Array.init n (fun i -> 2.0 + 0.3 * float i)))

// With traces, so that gradients stand out from their spread.
let private first = 0.3 * Matrices.symmetric 41 n + Tensor.eye DType.Float64 n
let private second = 0.3 * Matrices.symmetric 42 n + Tensor.eye DType.Float64 n

/// A(θ) = A₀ + θ₀A₁ + sin(θ₁)A₂, as a matrix.
let private matrixAt (theta: Tensor) : Tensor =
    let at i = Tensor.item 0 i theta
    fixed'.Value + at 0 * first + Tensor.sin (at 1) * second

/// The same as products.
let private product (theta: Tensor) (v: Tensor) : Tensor =
    let at i = Tensor.item 0 i theta
    Tensor.matmul fixed'.Value v + at 0 * Tensor.matmul first v + Tensor.sin (at 1) * Tensor.matmul second v

let private theta = Tensor.ofArray [ 2 ] [| 0.3; 0.7 |]
let private whole = QuadratureOptions.Default.WithSteps n
let private u, v = Tensor.flatten (Matrices.random 43 1 n), Tensor.flatten (Matrices.random 44 1 n)

/// f(A) of a small matrix.
let private dense (f: float -> float) (matrix: Tensor) =
    let values, vectors = Tensor.eigh matrix
    let ofValues = values.ToArray() |> Array.map f |> Tensor.ofArray [ n ]
    Tensor.matmul (vectors * ofValues) (Tensor.transpose vectors)

/// Central differences of a function of θ.
let private differences (f: Tensor -> float) =
    let h = 1e-5

    Array.init 2 (fun i ->
        let step = Tensor.ofArray [ 2 ] (Array.init 2 (fun j -> if i = j then h else 0.0))
        (f (theta + step) - f (theta - step)) / (2.0 * h))

let private functions =
    [
        SpectralFunction.exp
        SpectralFunction.log
        SpectralFunction.sqrt
        SpectralFunction.inverseSqrt
        SpectralFunction.inverse
        SpectralFunction.ofFunction "x sin x" (fun x -> x * sin x)
    ]

let private logdet theta = (Tensor.logdet (matrixAt theta)).ToScalar()

/// Means over keys of a gradient, with their standard errors.
let private meansOverKeys count (gradient: Key -> Tensor) =
    let all = [| for key in (Key.OfSeed 77L).Split count -> (gradient key).ToArray() |]

    Array.init 2 (fun i ->
        let values = all |> Array.map (fun each -> each[i])
        Array.average values, Statistics.standardError values)

let private agree what (expected: float[]) (found: (float * float)[]) =
    Array.iter2
        (fun expected (mean, error) ->
            Expect.isTrue
                $"{what}: {mean} ± {error} for {expected}, Key.OfSeed 77"
                (abs (mean - expected) <= 5.0 * error))
        expected
        found

[<Tests>]
let tests =
    testList "Unit.DifferentiableFunctionTests" [
        test "forms and their gradients are those of the dense function where the Krylov space is whole" {
            for f in functions do
                let exact theta = (Tensor.dot u (Tensor.matmul (dense f.Evaluate (matrixAt theta)) v)).ToScalar()

                let form = DifferentiableFunction.quadraticForm whole f u v product
                Expect.close 1e-11 [| exact theta |] [| (form theta).ToScalar() |]
                Expect.close 1e-7 (differences exact) ((grad form theta).ToArray())
        }

        test "one form of a vector with itself, and zero for a vector of zeros" {
            let exact theta = (Tensor.dot v (Tensor.matmul (dense exp (matrixAt theta)) v)).ToScalar()
            let form u = DifferentiableFunction.quadraticForm whole SpectralFunction.exp u v product
            Expect.close 1e-7 (differences exact) ((grad (form v) theta).ToArray())
            Expect.close 1e-12 [| 0.0; 0.0 |] ((grad (form (Tensor.zerosLike v)) theta).ToArray())
        }

        test "with fewer steps, gradients converge as values do" {
            let exact theta = (Tensor.dot u (Tensor.matmul (dense sqrt (matrixAt theta)) v)).ToScalar()
            let truth = differences exact

            let off steps =
                let options = QuadratureOptions.Default.WithSteps steps
                let found = grad (DifferentiableFunction.quadraticForm options SpectralFunction.sqrt u v product) theta
                Array.map2 (fun a b -> abs (a - b)) truth (found.ToArray()) |> Array.max

            Expect.isLessThan "4 and 8 steps" (off 8, 0.1 * off 4)
        }

        test "a loss contains a form, and other terms beside it" {
            let loss theta =
                let form = DifferentiableFunction.quadraticForm whole SpectralFunction.log v v product theta
                Tensor.square form + Tensor.sum (Tensor.square theta)

            let exact theta =
                let form = (Tensor.dot v (Tensor.matmul (dense log (matrixAt theta)) v)).ToScalar()
                form * form + (Tensor.sum (Tensor.square theta)).ToScalar()

            Expect.close 1e-6 (differences exact) ((grad loss theta).ToArray())
        }

        test "the gradient of the log-determinant is unbiased: differences of the exact one" {
            let gradient key =
                grad (DifferentiableFunction.logDeterminant (whole.WithSamples(2).WithKey key) n product) theta

            agree "∇ ln det" (differences logdet) (meansOverKeys 200 gradient)
        }

        test "for a fixed key, gradients of the value are its differences, for traces and the log-determinant" {
            let options = whole.WithSamples(2).WithKey(Key.OfSeed 79L).WithDifferentiatedValue true

            let agree what (value: Tensor -> Tensor) =
                let expected = differences (fun theta -> (value theta).ToScalar())
                let found = (grad value theta).ToArray()
                Array.iter2 (fun a b -> Expect.within what (1e-6 * (1.0 + abs a)) a b) expected found

            agree "ln det" (DifferentiableFunction.logDeterminant options n product)

            for f in functions do
                agree $"tr {f}" (DifferentiableFunction.trace options f n product)

            // The unbiased one is another, and both have the same value.
            let value (options: QuadratureOptions) = DifferentiableFunction.logDeterminant options n product
            let unbiased = options.WithDifferentiatedValue false
            let distance = Tensor.norm (grad (value options) theta - grad (value unbiased) theta)
            Expect.isGreaterThan "another gradient" (distance.ToScalar(), 1e-3)
            Expect.tensorsClose 1e-13 (value unbiased theta) (value options theta)
        }

        test "its value is unbiased too, and the same for the same key" {
            let value (key: Key) =
                DifferentiableFunction.logDeterminant (whole.WithSamples(2).WithKey key) n product theta

            let found = [| for key in (Key.OfSeed 78L).Split 200 -> (value key).ToScalar() |]
            let mean, error = Array.average found, Statistics.standardError found
            let expected = logdet theta
            Expect.isTrue $"{mean} ± {error} for {expected}, Key.OfSeed 78" (abs (mean - expected) <= 5.0 * error)
            Expect.sameBits (value (Key.OfSeed 1L)) (value (Key.OfSeed 1L))
        }

        test "gradients of traces are unbiased, for named functions and others" {
            for f in functions do
                let exact theta = Matrices.trace (dense f.Evaluate (matrixAt theta))

                let gradient key =
                    grad (DifferentiableFunction.trace (whole.WithSamples(2).WithKey key) f n product) theta

                agree $"∇ tr {f}" (differences exact) (meansOverKeys 100 gradient)
        }

        test "with all basis vectors as probes, the gradient is exact" {
            // A diagonal operator: every sign vector gives the trace.
            let diagonal (theta: Tensor) (v: Tensor) = Tensor.exp theta * v
            let value = DifferentiableFunction.logDeterminant (whole.WithSamples 1) 2 diagonal
            Expect.close 1e-13 [| 1.0 |] [| (value theta).ToScalar() |]
            Expect.close 1e-13 [| 1.0; 1.0 |] ((grad value theta).ToArray())
        }

        test "Float32 to its digits" {
            let single = Tensor.convert DType.Float32

            let product (theta: Tensor) (v: Tensor) =
                single fixed'.Value |> fun a -> Tensor.matmul a v * Tensor.sum theta

            let form = DifferentiableFunction.quadraticForm whole SpectralFunction.inverse (single v) (single v) product
            let theta = single theta
            // vᵀ(tA)⁻¹v has the derivative −vᵀA⁻¹v/t².
            let exact = -(Tensor.dot v (Tensor.solve fixed'.Value v)).ToScalar()
            Expect.close 1e-5 [| exact; exact |] ((grad form theta).ToArray())
        }

        test "what does not fit is refused" {
            let form options u = DifferentiableFunction.quadraticForm options SpectralFunction.log u v

            Expect.error<ShapeException> [ "one length" ] (fun () ->
                form whole (Tensor.ones DType.Float64 [ 3 ]) product theta |> ignore)

            Expect.error<DTypeException> [ "Float32" ] (fun () ->
                form whole (Tensor.convert DType.Float32 u) product theta |> ignore)

            Expect.error<OperatorException> [ "log"; "Ritz value of -" ] (fun () ->
                form whole u (fun theta v -> -(product theta v)) theta |> ignore)

            Expect.error<OperatorException> [ "symmetric" ] (fun () ->
                let turned = Matrices.random 9 n n
                form whole u (fun _ v -> Tensor.matmul turned v) theta |> ignore)

            Expect.error<ArgumentRangeException> [ "rows" ] (fun () ->
                DifferentiableFunction.logDeterminant whole 0 product theta |> ignore)

            Expect.error<ArgumentRangeException> [ "random vector" ] (fun () -> whole.WithSamples 0 |> ignore)
            Expect.error<ArgumentRangeException> [ "step" ] (fun () -> whole.WithSteps 0 |> ignore)
        }
    ]
