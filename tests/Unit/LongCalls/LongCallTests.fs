/// The rule of cancellation and of progress, for every long call but the estimators.
module Curvature.Tests.Unit.LongCallTests

open System
open System.Collections.Generic
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// What a call that was cancelled on its way does.
type private WhenCancelled =
    /// It returns what was found, and says that it was cancelled.
    | Returns
    /// It raises OperationCanceledException: part of a result is none.
    | Raises

/// A long call. It does `work` often, and tells whether its result says that it was cancelled.
[<NoEquality; NoComparison>]
type private LongCall =
    {
        Name: string
        Cancelled: WhenCancelled
        /// What it may still do once it was cancelled.
        Rest: int
        Run: (unit -> unit) -> CancellationToken -> bool
    }

/// A long call that tells how much of it is done, from 0 to 1.
[<NoEquality; NoComparison>]
type private ToldCall =
    {
        Name: string
        Run: (unit -> unit) -> ProgressRate -> CancellationToken -> (float -> unit) -> unit
    }

/// A clock that goes on by hand.
type private HandClock() =
    inherit TimeProvider()
    let mutable now = 0L
    override _.TimestampFrequency = 1000L
    override _.GetTimestamp() = now
    member _.Milliseconds = now
    member _.Advance(milliseconds: int64) = now <- now + milliseconds

let private key = Key.OfSeed 5L

/// diag(1, …, 40), which does work with every product.
let private operator (work: unit -> unit) =
    LinearOperator.ofDelegate DType.Float64 40 40 (fun v ->
        work ()
        v |> Array.mapi (fun i x -> float (i + 1) * x))
    |> LinearOperator.claim (OperatorProperties.Symmetric ||| OperatorProperties.PositiveSemidefinite)

let private one = Tensor.ones DType.Float64 [ 40 ]
let private solving (token: CancellationToken) = SolverOptions.Default.WithTolerance(1e-13).WithCancellation token
let private sampling (token: CancellationToken) = RunOptions.Default.WithBlockSize(1).WithCancellation token
let private theta = Tensor.ofArray [ 3 ] [| 0.3; -0.2; 0.5 |]

let private lossOf (batch: Batch) theta = Tensor.mean (Tensor.square (Tensor.tanh (Tensor.matmul batch.Inputs theta)))

/// The mean of tanh² over many small batches, each of which does work when it is read.
let private risk count (work: unit -> unit) =
    let batches _ =
        seq {
            for i in 1..count do
                work ()
                let inputs = Tensor.ofArray [ 2; 3 ] [| for j in 1..6 -> 0.01 * float (i + j) |]
                Batch(inputs, Tensor.zeros DType.Float64 [ 2 ])
        }

    Risk.ofBatches Reduction.Mean lossOf [] |> Risk.withPasses batches

/// The same over a number of batches that is known beforehand.
let private counted count (work: unit -> unit) =
    let batch = Batch(Tensor.ones DType.Float64 [ 2; 3 ], Tensor.zeros DType.Float64 [ 2 ])

    let batches =
        { new IReadOnlyCollection<Batch> with
            member _.Count = count

            member _.GetEnumerator() : IEnumerator<Batch> =
                (Seq.init count (fun _ ->
                    work ()
                    batch))
                    .GetEnumerator()

            member this.GetEnumerator() : Collections.IEnumerator = this.GetEnumerator()
        }

    Risk.ofBatches Reduction.Mean lossOf batches |> Risk.withTerm (fun theta -> Tensor.sum (Tensor.square theta))

let private directions = [ for seed in 1L .. 2L -> Direction.random (Key.OfSeed seed) theta ]

let private landscape token = LandscapeOptions.Default.WithCancellation token
let private training (token: CancellationToken) = TrainingOptions.Default.WithEpochs(3).WithCancellation token
let private isCancelled (reason: StopReason) = (reason = StopReason.Cancelled)

let private calls: LongCall list =
    let call name cancelled rest run = { Name = name; Cancelled = cancelled; Rest = rest; Run = run }

    [
        call "Lanczos" Returns 1 (fun work token -> (Lanczos.runWith token 20 key (operator work)).IsCancelled)
        call "ThickRestartLanczos" Returns 3 (fun work token ->
            let options = EigenOptions.Default.WithCancellation token
            (ThickRestartLanczos.findWith options SpectrumEnd.Largest 3 (operator work)).IsCancelled)
        call "Lobpcg" Returns 6 (fun work token ->
            let options = EigenOptions.Default.WithCancellation token
            (Lobpcg.findWith options id SpectrumEnd.Largest 3 (operator work)).IsCancelled)
        call "PowerIteration" Returns 1 (fun work token ->
            (PowerIteration.findWith token (PowerStop.residual 1e-9) 1000 2 key (operator work)).IsCancelled)
        call "StochasticLanczos" Returns 1 (fun work token ->
            let sample = StochasticLanczos.sampleWith (sampling token) Probe.gaussian 20 4 key (operator work)
            isCancelled sample.Ledger.StopReason)
        call "ChebyshevMoments" Returns 1 (fun work token ->
            let sample = ChebyshevMoments.sampleWith (sampling token) Probe.gaussian 20 8 key (operator work)
            isCancelled sample.Ledger.StopReason)
        call "ConjugateGradients.solve" Returns 1 (fun work token ->
            (ConjugateGradients.solve (solving token) (operator work) one).IsCancelled)
        call "Solver.inverse of conjugate gradients" Raises 1 (fun work token ->
            (Solver.inverse (solving token) ConjugateGradients.solver (operator work)).Apply one |> ignore
            false)
        call "Neumann.solve" Returns 1 (fun work token ->
            (Neumann.solve (solving token) 0.04 (operator work) one).IsCancelled)
        call "Solver.inverse of a series" Raises 1 (fun work token ->
            (Solver.inverse (solving token) (Neumann.solver 0.04) (operator work)).Apply one |> ignore
            false)
        call "Minres.solve" Returns 1 (fun work token -> (Minres.solve (solving token) (operator work) one).IsCancelled)
        call "Gmres.solve" Returns 1 (fun work token ->
            (Gmres.solve (solving token) 30 (operator work) one).IsCancelled)
        // A pair of products, and those of the two residuals.
        call "Lsqr.solve" Returns 3 (fun work token -> (Lsqr.solve (solving token) 0.0 (operator work) one).IsCancelled)
        call "Lsmr.solve" Returns 3 (fun work token -> (Lsmr.solve (solving token) 0.0 (operator work) one).IsCancelled)
        call "MatrixFunction.apply" Returns 1 (fun work token ->
            let options = MatrixFunctionOptions.Default.WithTolerance(1e-13).WithCancellation token
            (MatrixFunction.applyWith options SpectralFunction.sqrt (operator work) one).IsCancelled)
        call "MatrixFunction.operator" Raises 1 (fun work token ->
            let options = MatrixFunctionOptions.Default.WithTolerance(1e-13).WithCancellation token
            (MatrixFunction.operatorWith options SpectralFunction.sqrt (operator work)).Apply one |> ignore
            false)
        call "GolubKahan" Returns 7 (fun work token ->
            let options = EigenOptions.Default.WithCancellation token
            (GolubKahan.largestWith options 3 (operator work)).IsCancelled)
        call "Landscape.line" Raises 0 (fun work token ->
            Landscape.lineWith (landscape token) (risk 60 work) theta directions[0] [ 0.0; 0.5; 1.0 ] |> ignore
            false)
        call "Landscape.plane" Raises 0 (fun work token ->
            let axis = Landscape.axis [ -0.5; 0.5 ]

            Landscape.planeWith (landscape token) (risk 60 work) theta (axis directions[0]) (axis directions[1])
            |> ignore

            false)
        call "losses of pruned weights" Raises 0 (fun work token ->
            LossGrid.losses token "Pruning" [| theta; theta * 0.5 |] (risk 60 work) |> ignore
            false)
        call "Training" Returns 0 (fun work token ->
            (Training.minimize (training token) (risk 40 work) theta).Cancelled)
        // The gradient of all batches that it was at.
        call "Lbfgs" Returns 40 (fun work token ->
            let options = LbfgsOptions.Default.WithGradientTolerance(1e-12).WithCancellation token
            (Lbfgs.minimize options (risk 40 work) theta).Cancelled)
        call "Diagnose" Returns 8 (fun work token ->
            let found = Diagnose.run (DiagnoseOptions.Default.WithCancellation token) (operator work)
            let skipped = found.Checks |> Seq.filter (fun check -> check.Explanation = "cancelled")
            Expect.isTrue $"{found}" (found.IsCancelled = not (Seq.isEmpty skipped))
            Expect.isTrue $"{found}" (found.IsHealthy = not found.IsCancelled)
            found.IsCancelled)
    ]

let private listener (tell: 'T -> unit) =
    { new IProgress<'T> with
        member _.Report p = tell p
    }

let private toldCalls: ToldCall list =
    let sampled (p: SamplingProgress) = p.Completed

    [
        {
            Name = "StochasticLanczos"
            Run =
                fun work rate token tell ->
                    let options = (sampling token).WithProgress(listener (sampled >> tell)).WithRate rate
                    StochasticLanczos.sampleWith options Probe.gaussian 50 4 key (operator work) |> ignore
        }
        {
            Name = "ChebyshevMoments"
            Run =
                fun work rate token tell ->
                    let options = (sampling token).WithProgress(listener (sampled >> tell)).WithRate rate
                    ChebyshevMoments.sampleWith options Probe.gaussian 50 8 key (operator work) |> ignore
        }
        {
            Name = "Landscape"
            Run =
                fun work rate token tell ->
                    let tell (p: LandscapeProgress) = tell (float p.Evaluations / float p.Total)
                    let options = (landscape token).WithProgress(listener tell).WithRate rate

                    Landscape.lineWith options (counted 100 work) theta directions[0] [ 0.0; 0.5; 1.0 ] |> ignore
        }
        {
            Name = "Training"
            Run =
                fun work rate token tell ->
                    let tell (p: TrainingProgress) = tell (float p.Epoch / float p.Epochs)
                    let options = (training token).WithProgress(listener tell, 1).WithRate rate
                    Training.minimize options (risk 60 work) theta |> ignore
        }
    ]

/// What a call comes to where work number `last` cancels it (0: before it begins), and how much work there was.
let private outcome (call: LongCall) last =
    use source = new CancellationTokenSource()
    let mutable count = 0
    if last = 0 then source.Cancel()

    let work () =
        count <- count + 1
        if count = last then source.Cancel()

    let outcome =
        try
            if call.Run work source.Token then Some Returns else None
        with :? OperationCanceledException ->
            Some Raises

    outcome, count

[<Tests>]
let tests =
    testList "Unit.LongCallTests" [
        test "cancelled before it begins, every long call raises, and does nothing" {
            for call in calls do
                Expect.equal
                    "let outcome, count = outcome ca…"
                    (call.Name, Some Raises, 0)
                    (let outcome, count = outcome call 0 in call.Name, outcome, count)
        }

        test "cancelled on its way, every long call returns what was found, or raises where part of a result is none" {
            for call in calls do
                let _, whole = outcome call -1

                // In the middle, by then there is something to return.
                let last = whole / 2
                let found, count = outcome call last
                Expect.equal "call.Name, found" (call.Name, Some call.Cancelled) (call.Name, found)

                Expect.isTrue
                    $"{call.Name}: {count} of {whole}, cancelled at {last}"
                    (count <= last + call.Rest && count < whole)
        }

        test "where nobody cancels, no long call says that it was cancelled" {
            for call in calls do
                Expect.equal "call.Name, fst (outcome call -1)" (call.Name, None) (call.Name, fst (outcome call -1))
        }

        test "progress comes ten times a second at most and at the end, which alone is told to be complete" {
            for call in toldCalls do
                let clock = HandClock()
                let told = List<struct (int64 * float)>()
                let rate = { ProgressRate.Default with Clock = clock }

                call.Run (fun () -> clock.Advance 20L) rate CancellationToken.None (fun completed ->
                    told.Add(struct (clock.Milliseconds, completed)))

                let name = $"""{call.Name}: {String.Join("; ", told)}"""
                let times = [ for struct (time, _) in told -> time ]
                let seconds = float clock.Milliseconds / 1000.0
                // The first, and the last, which comes in any case.
                Expect.isTrue name (float told.Count <= 10.0 * seconds + 2.0 && told.Count > 5)
                let spaced = List.pairwise times |> List.take (times.Length - 2)
                Expect.isTrue name (spaced |> List.forall (fun (before, after) -> after - before >= 100L))
                let completed = [ for struct (_, completed) in told -> completed ]
                Expect.isTrue name (List.last completed = 1.0)

                Expect.isTrue
                    name
                    (completed |> List.take (completed.Length - 1) |> List.forall (fun part -> part < 1.0))

                Expect.isTrue name (completed = List.sort completed)
        }

        testCase "an interval of 0 lets every report through" (fun () ->
            for call in toldCalls do
                let mutable count = 0
                let rate = ProgressRate.Default.WithSeconds "" 0.0
                call.Run ignore rate CancellationToken.None (fun _ -> count <- count + 1)
                Expect.isTrue $"{call.Name}: {count}" (count >= 50)

            let wrong = [ nan; -0.1 ]

            for seconds in wrong do
                Expect.error<ArgumentRangeException> [ "WithProgressInterval" ] (fun () ->
                    TrainingOptions.Default.WithProgressInterval seconds |> ignore)

                Expect.error<ArgumentRangeException> [ "WithProgressInterval" ] (fun () ->
                    LandscapeOptions.Default.WithProgressInterval seconds |> ignore))

        testCase "where a call is cancelled and returns, what it came to is told" (fun () ->
            for call in toldCalls |> List.filter (fun call -> call.Name <> "Landscape") do
                use source = new CancellationTokenSource()
                let told = List<float>()
                let mutable count = 0

                let work () =
                    count <- count + 1
                    if count = 100 then source.Cancel()

                // All of it within a tenth of a second: only the first report and the last.
                let rate = { ProgressRate.Default with Clock = HandClock() }
                call.Run work rate source.Token told.Add
                Expect.isTrue $"{call.Name}: {List.ofSeq told}" (told.Count = 2 && told[1] > 0.0 && told[1] < 1.0))
    ]
