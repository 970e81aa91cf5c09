namespace Curvature.Tests.Unit

open System
open System.IO
open System.IO.Compression
open System.Text.Json
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A network on handwritten digits whose curvature was computed with PyTorch in Float64.
module DigitsNetwork =

    /// Rows 0 … 199 of the digits: pixels/16, [200; 64], and labels.
    let private data =
        lazy
            (use file = File.OpenRead(SharedData.path "data/digits.csv.gz")
             use reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress))
             let rows = Array.init 200 (fun _ -> reader.ReadLine().Split ',' |> Array.map float)

             rows |> Array.collect (fun row -> row[..63] |> Array.map (fun pixel -> pixel / 16.0)),
             rows |> Array.map (fun row -> int row[64]))

    let reference =
        lazy (JsonDocument.Parse(File.ReadAllText(SharedData.path "reference/digits_mlp_float64.json")).RootElement)

    let number (name: string) = reference.Value.GetProperty(name).GetDouble()

    let numbers (name: string) =
        [| for item in reference.Value.GetProperty(name).EnumerateArray() -> item.GetDouble() |]

    let size = 2410

    let blocks =
        [
            ParameterBlock("W1", 0, 2048)
            ParameterBlock("b1", 2048, 32)
            ParameterBlock("W2", 2080, 320)
            ParameterBlock("b2", 2400, 10)
        ]

    let theta (dtype: DType) =
        Array.init size (fun i -> 0.3 * sin (float (i + 1))) |> Tensor.ofArray [ size ] |> Tensor.convert dtype

    let direction (dtype: DType) =
        Array.init size (fun i -> cos (float (i + 1))) |> Tensor.ofArray [ size ] |> Tensor.convert dtype

    /// The outputs of the network, [200; 10], as a function of its parameters.
    let logits (dtype: DType) : Tensor -> Tensor =
        let x = Tensor.ofArray [ 200; 64 ] (fst data.Value) |> Tensor.convert dtype

        fun theta ->
            match Tensor.split 0 [ 2048; 32; 320; 10 ] theta with
            | [ w1; b1; w2; b2 ] ->
                let hidden = Tensor.tanh (Tensor.einsum "ni,hi->nh" x (Tensor.reshape [ 32; 64 ] w1) + b1)
                Tensor.einsum "nh,oh->no" hidden (Tensor.reshape [ 10; 32 ] w2) + b2
            | _ -> invalidOp "split gave another number of parts"

    /// The cross-entropy of each sample as a function of the logits.
    let losses (dtype: DType) : Tensor -> Tensor =
        let targets = Tensor.oneHot dtype 10 (Tensor.ofIndices [ 200 ] (snd data.Value))
        fun logits -> Tensor.softmaxCrossEntropy logits targets

    let crossEntropy (dtype: DType) : Tensor -> Tensor = losses dtype >> Tensor.mean

    let loss (dtype: DType) : Tensor -> Tensor = logits dtype >> crossEntropy dtype

    let close tolerance (name: string) (actual: float) =
        let expected = number name

        Expect.isTrue
            $"{name} is {expected}, and came out as {actual}"
            (abs (actual - expected) <= tolerance * abs expected)

module DigitsNetworkTests =

    let private norm (t: Tensor) = (Tensor.norm t).ToScalar()

    [<Tests>]
    let tests =
        testList "Unit.DigitsNetworkTests" [
            for dtype, tolerance in [ DType.Float64, 1e-9; DType.Float32, 1e-3 ] do
                test $"loss, gradient, products and quadratic forms of a network on real digits ({dtype})" {
                    let point =
                        Hessian.evaluate (Risk.ofFunction (DigitsNetwork.loss dtype)) (DigitsNetwork.theta dtype)

                    let v = DigitsNetwork.direction dtype
                    let product = point.Hessian.Apply v
                    let first5 (t: Tensor) = (Tensor.slice 0 0 5 t).ToArray()
                    DigitsNetwork.close tolerance "loss" point.Loss
                    DigitsNetwork.close tolerance "gradient_norm" (norm point.Gradient)
                    Expect.close tolerance (DigitsNetwork.numbers "gradient_first5") (first5 point.Gradient)
                    DigitsNetwork.close tolerance "vHv" ((Tensor.dot v product).ToScalar())

                    DigitsNetwork.close
                        tolerance
                        "vHv"
                        ((point.Hessian.QuadraticForms.Value(Tensor.unsqueeze 0 v)).ToArray()[0])

                    DigitsNetwork.close tolerance "Hv_norm" (norm product)
                    Expect.close tolerance (DigitsNetwork.numbers "Hv_first5") (first5 product)
                }

            for dtype, tolerance in [ DType.Float64, 1e-9; DType.Float32, 1e-3 ] do
                test $"exact trace, block traces and diagonal of a network on real digits ({dtype}, {tolerance})" {
                    let hessian = Hessian.at (DigitsNetwork.loss dtype) (DigitsNetwork.theta dtype)
                    let diagonal = (Exact.diagonal hessian).Value
                    DigitsNetwork.close tolerance "hessian_trace" ((Tensor.sum diagonal).ToScalar())
                    DigitsNetwork.close tolerance "hessian_diagonal_norm" (norm diagonal)

                    Expect.close
                        tolerance
                        (DigitsNetwork.numbers "hessian_diagonal_first5")
                        (Tensor.slice 0 0 5 diagonal |> _.ToArray())

                    let traces =
                        DigitsNetwork.blocks
                        |> List.map (fun b -> (Tensor.slice 0 b.Offset b.Size diagonal |> Tensor.sum).ToScalar())

                    Expect.close tolerance (DigitsNetwork.numbers "hessian_block_traces") (List.toArray traces)
                }

            test "what is sampled of a network lies within 5 standard errors of the exact values" {
                let key = Key.OfSeed 9L
                let hessian = Hessian.at (DigitsNetwork.loss DType.Float64) (DigitsNetwork.theta DType.Float64)

                let measurement =
                    Measurement.both
                        (Measurement.both Measurement.trace (Measurement.blockTraces DigitsNetwork.blocks))
                        (Measurement.both Measurement.diagonal Measurement.squaredFrobenius)

                let (trace, blocks), (diagonal, frobenius) =
                    Hutchinson.estimate Probe.rademacher measurement (StoppingRule.matvecs 64) key hessian

                let within name (expected: float) (estimate: Estimate<float>) =
                    Expect.isTrue
                        $"{name}: {expected} against {estimate} with {key}"
                        (abs (estimate.Value - expected) <= 5.0 * estimate.StandardError)

                within "trace" (DigitsNetwork.number "hessian_trace") trace
                within "squared norm" (DigitsNetwork.number "hessian_frobenius_squared") frobenius

                Array.iter2
                    (fun expected (block: BlockTrace) -> within block.Block.Name expected block.Trace)
                    (DigitsNetwork.numbers "hessian_block_traces")
                    blocks

                let spread = sqrt (DigitsNetwork.number "hutchinson_variance_rademacher" / 64.0)

                Expect.isTrue
                    $"standard error {trace.StandardError} against {spread} with {key}"
                    (trace.StandardError > 0.6 * spread && trace.StandardError < 1.6 * spread)

                let first, errors = diagonal.Value.ToArray(), diagonal.StandardError.ToArray()

                DigitsNetwork.numbers "hessian_diagonal_first5"
                |> Array.iteri (fun i expected ->
                    Expect.isTrue $"diagonal {i} with {key}" (abs (first[i] - expected) <= 6.0 * errors[i]))
            }

            for dtype, tolerance in [ DType.Float64, 1e-9; DType.Float32, 1e-3 ] do
                test $"Gauss-Newton and Fisher matrices of a network on real digits ({dtype}, {tolerance})" {
                    let model, loss, theta =
                        DigitsNetwork.logits dtype, DigitsNetwork.crossEntropy dtype, DigitsNetwork.theta dtype

                    let v = DigitsNetwork.direction dtype

                    let form (operator: LinearOperator) =
                        (operator.QuadraticForms.Value(Tensor.unsqueeze 0 v)).ToArray()[0]

                    let gaussNewton = GaussNewton.at model loss theta
                    DigitsNetwork.close tolerance "ggn_trace" (Exact.trace gaussNewton).Value
                    DigitsNetwork.close tolerance "vGv" (form gaussNewton)
                    DigitsNetwork.close tolerance "vGv" ((Tensor.dot v (gaussNewton.Apply v)).ToScalar())
                    DigitsNetwork.close tolerance "Gv_norm" (norm (gaussNewton.Apply v))

                    DigitsNetwork.close
                        tolerance
                        "ggn_trace"
                        (Exact.trace (Fisher.exact Likelihood.categorical model theta)).Value

                    let empirical = Fisher.empirical (DigitsNetwork.losses dtype) model theta
                    DigitsNetwork.close tolerance "empirical_fisher_trace" (Exact.trace empirical).Value
                    DigitsNetwork.close tolerance "vEv" (form empirical)
                    DigitsNetwork.close tolerance "vEv" ((Tensor.dot v (empirical.Apply v)).ToScalar())
                }
        ]
