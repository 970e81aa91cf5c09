module Curvature.Tests.Unit.OverBatchesTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private x, private y = Matrices.random 70 10 4, Matrices.random 71 10 2
let private batches = Batches.split 3 x y
let private theta = Tensor.flatten (Matrices.random 72 2 4)
let private model (inputs: Tensor) (theta: Tensor) = Tensor.einsum "ni,oi->no" inputs (Tensor.reshape [ 2; 4 ] theta)

let private loss reduction (batch: Batch) theta =
    Loss.meanSquaredError reduction batch.Targets (model batch.Inputs theta)

let private deepModel (inputs: Tensor) (theta: Tensor) =
    let w1, w2 = Tensor.slice 0 0 12 theta, Tensor.slice 0 12 6 theta
    Tensor.matmul (Tensor.tanh (Tensor.matmul inputs (Tensor.reshape [ 4; 3 ] w1))) (Tensor.reshape [ 3; 2 ] w2)

let private deepTheta = Tensor.flatten (Matrices.random 73 1 18)
let private labels = Tensor.ofIndices [ 10 ] [| 0; 1; 1; 0; 1; 0; 0; 1; 1; 1 |]
let private labelled = Batches.split 4 x labels

/// The same matrix as one batch gives, by products and by quadratic forms.
let private check (expected: LinearOperator) (operator: LinearOperator) =
    Expect.tensorsClose 1e-12 (LinearOperator.dense expected) (LinearOperator.dense operator)
    let z = Matrices.random 74 5 expected.Columns
    Expect.tensorsClose 1e-12 (expected.QuadraticForm z) (operator.QuadraticForm z)
    Expect.tensorsClose 1e-12 (expected.Apply(Tensor.item 0 2 z)) (operator.Apply(Tensor.item 0 2 z))
    Expect.isTrue "the claims are those of one batch" (expected.Properties = operator.Properties)

[<Tests>]
let tests =
    testList "Unit.OverBatchesTests" [
        test "summed squares over batches of 3, 3, 3 and 1 have Hessian 2 I⊗XᵀX" {
            let gram = LinearOperator.ofSymmetricMatrix (2.0 * Tensor.matmul (Tensor.transpose x) x)
            let hessian = Hessian.ofRisk (Risk.ofBatches Reduction.Sum (loss Reduction.Sum) batches) theta
            Expect.isTrue "the last batch has one row" ((List.last batches).Size = 1)

            Expect.tensorsClose
                1e-12
                (LinearOperator.dense (LinearOperator.blockDiagonal [ gram; gram ]))
                (LinearOperator.dense hessian)
        }

        test "mean losses over uneven batches give loss, gradient and Hessian of the whole" {
            let whole = Hessian.evaluate (Risk.ofFunction (loss Reduction.Mean (Batch(x, y)))) theta
            let parts = Hessian.evaluate (Risk.ofBatches Reduction.Mean (loss Reduction.Mean) batches) theta
            Expect.close 1e-13 [| whole.Loss |] [| parts.Loss |]
            Expect.tensorsClose 1e-13 whole.Gradient parts.Gradient
            check whole.Hessian parts.Hessian
        }

        test "a network's Hessian, Gauss-Newton and Fisher matrices over batches are those of the whole" {
            let cross targets outputs = Loss.softmaxCrossEntropy Reduction.Mean targets outputs
            let losses targets outputs = Tensor.softmaxCrossEntropy outputs (Tensor.oneHot DType.Float64 2 targets)
            let whole = deepModel x

            check
                (Hessian.at (whole >> cross labels) deepTheta)
                (Hessian.ofRisk
                    (labelled
                     |> Risk.ofBatches Reduction.Mean (fun batch -> deepModel batch.Inputs >> cross batch.Targets))
                    deepTheta)

            check
                (GaussNewton.at whole (cross labels) deepTheta)
                (GaussNewton.ofRisk (Risk.ofModel Reduction.Mean deepModel cross labelled) deepTheta)

            check
                (Fisher.exact Likelihood.categorical whole deepTheta)
                (Fisher.ofRisk
                    (FisherKind.exact Likelihood.categorical)
                    (Risk.ofModel Reduction.Mean deepModel (fun _ outputs -> Tensor.sum outputs) labelled)
                    deepTheta)

            check
                (Fisher.empirical (losses labels) whole deepTheta)
                (Fisher.ofRisk
                    (FisherKind.empirical losses)
                    (Risk.ofModel Reduction.Mean deepModel (fun _ outputs -> Tensor.sum outputs) labelled)
                    deepTheta)
        }

        test "the Monte Carlo Fisher matrix over batches approaches the exact one" {
            let key = Key.OfSeed 75L

            let exact =
                LinearOperator.dense (
                    Fisher.ofRisk
                        (FisherKind.exact Likelihood.categorical)
                        (Risk.ofModel Reduction.Mean deepModel (fun _ outputs -> Tensor.sum outputs) labelled)
                        deepTheta
                )

            let sampled =
                LinearOperator.dense (
                    Fisher.ofRisk
                        (FisherKind.monteCarlo Likelihood.categorical 2000 key)
                        (Risk.ofModel Reduction.Mean deepModel (fun _ outputs -> Tensor.sum outputs) labelled)
                        deepTheta
                )

            let spread = (Tensor.norm (sampled - exact)).ToScalar() / (Tensor.norm exact).ToScalar()
            Expect.isTrue $"off by {spread} with {key}" (spread < 0.1 && spread > 0.0)
        }

        testCase "all vectors of a block go through a batch before the next is read" (fun () ->
            let mutable read = 0

            let source =
                seq {
                    for batch in batches do
                        read <- read + 1
                        yield batch
                }

            let hessian = Hessian.ofRisk (Risk.ofBatches Reduction.Mean (loss Reduction.Mean) source) theta
            Expect.equal "read" 4 read
            hessian.Apply(Matrices.random 76 16 8) |> ignore
            Expect.equal "read" 8 read
            hessian.QuadraticForm(Matrices.random 76 16 8) |> ignore
            Expect.equal "read" 12 read)

        test "single precision and a point of another shape" {
            let convert (batch: Batch) =
                Batch(Tensor.convert DType.Float32 batch.Inputs, Tensor.convert DType.Float32 batch.Targets)

            let single =
                Hessian.ofRisk
                    (Risk.ofBatches Reduction.Mean (loss Reduction.Mean) (List.map convert batches))
                    (Tensor.convert DType.Float32 (Tensor.reshape [ 2; 4 ] theta))

            let double = LinearOperator.dense (Hessian.at (loss Reduction.Mean (Batch(x, y))) theta)
            Expect.close 1e-5 (double.ToArray()) ((LinearOperator.dense single).ToArray())
            Expect.equal "single.DType" DType.Float32 single.DType
        }

        test "a loss that asks for values works too" {
            let asking (batch: Batch) (theta: Tensor) =
                let scale = if (Tensor.sum batch.Inputs).ToScalar() > 1e9 then 0.0 else 1.0
                scale * loss Reduction.Mean batch theta

            check
                (Hessian.at (loss Reduction.Mean (Batch(x, y))) theta)
                (Hessian.ofRisk (Risk.ofBatches Reduction.Mean asking batches) theta)
        }

        testCase "a source that gives other data at the second pass is refused" (fun () ->
            let mutable passes = 0

            let shuffled =
                seq {
                    passes <- passes + 1
                    let order = Tensor.ofIndices [ 10 ] (Batches.shuffled (Key.OfSeed(int64 passes)) 10)
                    yield! Batches.split 3 (Tensor.take 0 order x) (Tensor.take 0 order y)
                }

            let refused fragments (source: Batch seq) =
                let hessian = Hessian.ofRisk (Risk.ofBatches Reduction.Mean (loss Reduction.Mean) source) theta
                Expect.error<DataException> fragments (fun () -> hessian.Apply theta |> ignore)
                Expect.error<DataException> fragments (fun () -> hessian.QuadraticForm theta |> ignore)

            refused [ "Hessian"; "batch 0"; "same order" ] shuffled
            let queue = Collections.Generic.Queue batches

            let oneShot =
                seq {
                    while queue.Count > 0 do
                        yield queue.Dequeue()
                }

            refused [ "4 batches"; "this one 0" ] oneShot
            let mutable length = 3

            let growing =
                seq {
                    length <- length + 1
                    yield! List.replicate length batches.Head
                }

            refused [ "batch 4" ] growing)

        test "bad batches are refused" {
            let over source () =
                Hessian.ofRisk (Risk.ofBatches Reduction.Mean (loss Reduction.Mean) source) theta |> ignore

            Expect.error<DataException> [ "no batches" ] (over [])

            Expect.error<DataException> [ "no samples" ] (fun () ->
                Batch(Tensor.zeros DType.Float64 [ 0; 4 ], Tensor.zeros DType.Float64 [ 0; 2 ]) |> ignore)

            Expect.error<ShapeException> [ "[3; 4]"; "[2; 2]" ] (fun () ->
                Batch(Tensor.zeros DType.Float64 [ 3; 4 ], Tensor.zeros DType.Float64 [ 2; 2 ]) |> ignore)

            Expect.error<ShapeException> [ "scalar" ] (fun () ->
                Batch(Tensor.scalar DType.Float64 1.0, Tensor.zeros DType.Float64 [ 1 ]) |> ignore)

            Expect.error<ArgumentRangeException> [ "0 were asked for" ] (fun () -> Batches.split 0 x y |> ignore)
            let broken = Batch(Tensor.full DType.Float64 [ 2; 4 ] nan, Tensor.zeros DType.Float64 [ 2; 2 ])

            Expect.error<NonFiniteException>
                [ "batch 1"; "loss is NaN"; "a constant used by" ]
                (over [ batches.Head; broken ])
        }

        test "a function that draws anew at every call is refused" {
            let random = Random 1
            let dropout batch (theta: Tensor) = loss Reduction.Mean batch (theta * random.NextDouble())

            Expect.error<DifferentiationException> [ "different results" ] (fun () ->
                Hessian.ofRisk (Risk.ofBatches Reduction.Mean dropout batches) theta |> ignore)
        }

        test "with means, batches count by their size" {
            // As hessian-eigenthings does it: the mean of the means of batches of 3, 3, 3 and 1.
            let unweighted = batches |> List.map (fun batch -> Hessian.at (loss Reduction.Mean batch) theta)
            let unweighted = LinearOperator.dense (0.25 * List.reduce (+) unweighted)
            let whole = LinearOperator.dense (Hessian.at (loss Reduction.Mean (Batch(x, y))) theta)

            let parts =
                LinearOperator.dense (
                    Hessian.ofRisk (Risk.ofBatches Reduction.Mean (loss Reduction.Mean) batches) theta
                )

            Expect.tensorsClose 1e-13 whole parts
            let off = (Tensor.norm (unweighted - whole)).ToScalar() / (Tensor.norm whole).ToScalar()
            Expect.isTrue $"the mean of means is off by {off}" (off > 0.05)
        }

        test "a label out of range is refused with its row" {
            let bad = Batches.split 5 x (Tensor.ofIndices [ 10 ] [| 0; 1; 1; 0; 1; 0; 0; 2; 1; 1 |])
            let cross targets outputs = Loss.softmaxCrossEntropy Reduction.Mean targets outputs
            let losses targets outputs = Tensor.softmaxCrossEntropy outputs (Tensor.oneHot DType.Float64 2 targets)
            let refused (operator: unit -> LinearOperator) = Expect.error<DataException> [ "2" ] (operator >> ignore)

            refused (fun () ->
                Hessian.ofRisk
                    (Risk.ofBatches Reduction.Mean (fun batch -> deepModel batch.Inputs >> cross batch.Targets) bad)
                    deepTheta)

            refused (fun () -> GaussNewton.ofRisk (Risk.ofModel Reduction.Mean deepModel cross bad) deepTheta)

            refused (fun () ->
                Fisher.ofRisk
                    (FisherKind.empirical losses)
                    (Risk.ofModel Reduction.Mean deepModel (fun _ outputs -> Tensor.sum outputs) bad)
                    deepTheta)
        }

        test "batches of one sample, and a block without vectors" {
            let single =
                Hessian.ofRisk (Risk.ofBatches Reduction.Mean (loss Reduction.Mean) (Batches.split 1 x y)) theta

            check (Hessian.at (loss Reduction.Mean (Batch(x, y))) theta) single

            Expect.equal
                "(single.Apply(Tensor.zeros DTyp…"
                [| 0; 8 |]
                (single.Apply(Tensor.zeros DType.Float64 [ 0; 8 ])).Shape

            Expect.equal
                "(single.QuadraticForm(Tensor.ze…"
                [| 0 |]
                (single.QuadraticForm(Tensor.zeros DType.Float64 [ 0; 8 ])).Shape
        }

        test "the matrix does not depend on how sums are cut into batches, nor on drawing again" {
            let sum size =
                Hessian.ofRisk (Risk.ofBatches Reduction.Sum (loss Reduction.Sum) (Batches.split size x y)) theta

            check (sum 10) (sum 4)

            let drawn =
                Fisher.ofRisk
                    (FisherKind.monteCarlo Likelihood.bernoulli 3 (Key.OfSeed 79L))
                    (Risk.ofModel Reduction.Mean deepModel (fun _ outputs -> Tensor.sum outputs) labelled)
                    deepTheta

            Expect.sameBits (LinearOperator.dense drawn) (LinearOperator.dense drawn)
        }

        test "a reduction that is none, and a batch that is null" {
            let over reduction source () =
                Hessian.ofRisk (Risk.ofBatches reduction (loss Reduction.Mean) source) theta |> ignore

            Expect.error<ArgumentRangeException> [ "Mean or Sum"; "7" ] (over (enum 7) batches)

            Expect.error<DataException>
                [ "batch 1 is null" ]
                (over Reduction.Mean [ batches.Head; Unchecked.defaultof<Batch> ])
        }

        test "batch normalisation in training is warned of, in evaluation not" {
            let network = Network.sequential [ Layer.dense 4 3; Normalization.batch 3; Layer.tanh; Layer.dense 3 2 ]
            let theta = Network.initialize (Key.OfSeed 80L) DType.Float64 network
            let cross targets outputs = Loss.softmaxCrossEntropy Reduction.Mean targets outputs

            let operators (network: Network) =
                let model inputs theta = Network.forward network theta inputs
                let loss (batch: Batch) theta = model batch.Inputs theta |> cross batch.Targets

                [
                    Hessian.ofRisk (Risk.ofBatches Reduction.Mean loss labelled) theta
                    GaussNewton.ofRisk (Risk.ofModel Reduction.Mean model cross labelled) theta
                    Fisher.ofRisk
                        (FisherKind.exact Likelihood.categorical)
                        (Risk.ofModel Reduction.Mean model (fun _ outputs -> Tensor.sum outputs) labelled)
                        theta
                    Fisher.ofRisk
                        (FisherKind.monteCarlo Likelihood.categorical 2 (Key.OfSeed 81L))
                        (Risk.ofModel Reduction.Mean model (fun _ outputs -> Tensor.sum outputs) labelled)
                        theta
                ]

            for operator in operators network do
                Expect.equal "List.ofSeq operator.Warnings" [] (List.ofSeq operator.Warnings)

            for operator in operators (Network.forTraining network) do
                let warning = Seq.head operator.Warnings

                Expect.isTrue
                    warning
                    (warning.StartsWith operator.Name && warning.Contains "batch normalisation in training")

            // What is made of such operators warns too, once for each.
            let mixed = 2.0 * (operators (Network.forTraining network)).Head |> LinearOperator.damped 1.0

            Expect.equal
                "(LinearOperator.blockDiagonal […"
                1
                (LinearOperator.blockDiagonal [ mixed * mixed; LinearOperator.block 0 2 mixed ]).Warnings.Count

            Expect.equal
                "(Solver.inverse SolverOptions.D…"
                1
                (Solver.inverse SolverOptions.Default ConjugateGradients.solver mixed).Warnings.Count
        }

        test "a loss reduced in another way than was said is refused" {
            let over said is () = Hessian.ofRisk (Risk.ofBatches said (loss is) batches) theta |> ignore

            Expect.error<ArgumentRangeException>
                [ "reduction Mean was given"; "the sum" ]
                (over Reduction.Mean Reduction.Sum)

            Expect.error<ArgumentRangeException>
                [ "reduction Sum was given"; "the mean" ]
                (over Reduction.Sum Reduction.Mean)
        }

        test "what belongs to no sample counts once a batch, and is warned of in sums" {
            let penalised reduction batch theta = loss reduction batch theta + 0.1 * Tensor.sum (Tensor.square theta)
            let over reduction = Hessian.ofRisk (Risk.ofBatches reduction (penalised reduction) batches) theta
            Expect.equal "(over Reduction.Mean).Warnings.…" 0 (over Reduction.Mean).Warnings.Count
            let warning = (over Reduction.Sum).Warnings[0]
            Expect.isTrue warning (warning.Contains "belongs to no sample")
            // A function for batches of one size cannot be tried on halves.
            let rigid (batch: Batch) theta =
                loss Reduction.Mean (Batch(Tensor.reshape [ 5; 4 ] batch.Inputs, batch.Targets)) theta

            let warning = (Hessian.ofRisk (Risk.ofBatches Reduction.Mean rigid (Batches.split 5 x y)) theta).Warnings[0]
            Expect.isTrue warning (warning.Contains "cannot be evaluated")
        }

        testCase "no more than one batch is held" (fun () ->
            let given = Collections.Generic.List<WeakReference>()

            /// The batches that somebody can still reach.
            let alive () =
                GC.Collect()
                GC.WaitForPendingFinalizers()
                given |> Seq.filter _.IsAlive |> Seq.length

            let fresh index =
                let part (t: Tensor) = Tensor.slice 0 (2 * index) 2 t + 0.0
                let batch = Batch(part x, part y)
                given.Add(WeakReference batch.Inputs)
                batch

            let mutable most = 0

            // The one before the last may still be in the hands of the loop.
            let source =
                Seq.init 5 (fun index ->
                    most <- max most (alive ())
                    fresh index)

            let hessian = Hessian.ofRisk (Risk.ofBatches Reduction.Mean (loss Reduction.Mean) source) theta
            hessian.Apply(Matrices.random 76 16 8) |> ignore
            hessian.QuadraticForm(Matrices.random 76 16 8) |> ignore
            Expect.contains "passes, and the most at a time" (given.Count, most) [ 15, 1; 15, 0 ])
    ]
