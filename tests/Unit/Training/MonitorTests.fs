module Curvature.Tests.Unit.MonitorTests

open System
open System.IO
open System.Xml.Linq
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A clock that a test moves on, in seconds.
[<Sealed>]
type private ManualClock() =
    inherit TimeProvider()
    let mutable now = 0L
    override _.GetTimestamp() = now
    override _.TimestampFrequency = 1_000_000L
    member _.Advance(seconds: float) = now <- now + int64 (1e6 * seconds)

/// f(θ) = Σ dᵢθᵢ⁴/12, whose Hessian is diag(dᵢθᵢ²).
let private quartic (d: Tensor) (theta: Tensor) = Tensor.sum (d * Tensor.square (Tensor.square theta)) / 12.0

let private bowl (curvatures: Tensor) (theta: Tensor) = 0.5 * Tensor.sum (curvatures * Tensor.square theta)

let private options = MonitorOptions.Default.WithKey(Key.OfSeed 51L)

let private measured (record: MonitorRecord | null) : MonitorRecord =
    match record with
    | null -> failtest "nothing was measured"
    | record -> record

/// A monitor whose measurements take a number of seconds of a clock. The loss asks for values, so that it is run anew
/// at each point, which moves the clock.
let private slow (clock: ManualClock) (seconds: float) (options: MonitorOptions) =
    let curvatures = Tensor.linspace DType.Float64 1.0 8.0 8

    let loss (theta: Tensor) =
        clock.Advance seconds

        if (Tensor.sum theta).ToScalar() > 1e9 then
            Tensor.sum theta
        else
            bowl curvatures theta

    Monitor.create (options.WithClock clock) (Risk.ofFunction loss)

let private networkRisk =
    lazy
        (let inputs = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 60; 2 ]

         let labels =
             inputs.ToArray()
             |> Array.chunkBySize 2
             |> Array.map (fun row -> if row[0] * row[1] > 0.0 then 1 else 0)
             |> Tensor.ofIndices [ 60 ]

         let network = Network.mlp Layer.tanh [ 2; 8; 2 ]
         let criterion = Loss.softmaxCrossEntropy Reduction.Mean
         let risk = network |> Network.risk Reduction.Mean criterion [ Batch(inputs, labels) ]
         let shuffled = Risk.withPasses (Batches.shuffledEachPass 20 (Key.OfSeed 3L) inputs labels) risk
         network, risk, shuffled)

[<Tests>]
let tests =
    testList "Unit.MonitorTests" [
        for share in [ 0.05; 0.2 ] do
            for cost in [ 0.01; 1.0; 30.0 ] do
                test $"measurements take {share} of the time, whatever they cost: {cost}" {
                    let clock = ManualClock()
                    let monitor = slow clock cost (options.WithTimeShare share)
                    let theta = Tensor.ones DType.Float64 [ 8 ]
                    let shares = ResizeArray<float>()

                    for _ in 1..20_000 do
                        clock.Advance 0.5
                        let record = monitor.Observe(theta, 1.0)
                        if not (isNull record) then shares.Add monitor.ShareOfTime

                    // A monitor that waits for a share of the time is right after each measurement.
                    let price = monitor.MeasurementSeconds / float monitor.Records.Count
                    let affordable = share / (1.0 - share) * monitor.StepSeconds / price
                    Expect.within "the time of the steps" 0.51 9999.5 monitor.StepSeconds

                    Expect.isTrue
                        $"{Seq.max (Seq.skip 1 shares)}"
                        (Seq.skip 1 shares |> Seq.forall (fun s -> s <= share * (1.0 + 1e-9)))

                    let count = float monitor.Records.Count
                    // A step is 0.5 s, so that cheap measurements come in every step at most.
                    let most = min affordable 20_000.0
                    Expect.isTrue $"{count} of {affordable}" (count <= most + 1.0 && count >= 0.9 * most - 1.0)
                }

        test "the first measurement waits until it is affordable" {
            let clock = ManualClock()
            let monitor = slow clock 1e-6 (options.WithTimeShare 0.1)
            let theta = Tensor.ones DType.Float64 [ 8 ]

            let first =
                seq { 1..2000 }
                |> Seq.find (fun _ ->
                    clock.Advance 1.0
                    not (isNull (monitor.Observe(theta, 1.0))))

            // 2·20 + 8 + 3 steps of a second are a tenth of 510 seconds with them.
            Expect.inRange "the step" 458 461 first
        }

        test "time away is not that of steps" {
            let clock = ManualClock()
            let monitor = slow clock 1e-6 options
            let theta = Tensor.ones DType.Float64 [ 8 ]

            for _ in 1..11 do
                monitor.Observe(theta, 1.0) |> ignore
                clock.Advance 1.0

            monitor.Pause()
            clock.Advance 1e6
            monitor.Observe(theta, 1.0) |> ignore
            Expect.within "seconds" 1e-5 10.0 monitor.StepSeconds
        }

        test "a measurement knows a quadratic function" {
            let curvatures = Tensor.concat 0 [ tensor [ 40.0; -30.0; 20.0 ]; Tensor.linspace DType.Float64 -1.0 1.5 97 ]

            for dtype in [ DType.Float64; DType.Float32 ] do
                let d = Tensor.convert dtype curvatures
                let monitor = Monitor.create options (Risk.ofFunction (bowl d))
                let theta = Tensor.normal (Key.OfSeed 1L) dtype [ 100 ]
                let record = monitor |> Monitor.measure theta
                let tolerance = if dtype = DType.Float64 then 1e-10 else 1e-4
                Expect.within "sharpness" (40.0 * tolerance) 40.0 record.Sharpness.Value
                Expect.within "2/sharpness" (0.05 * tolerance) 0.05 record.LargestLearningRate
                let rates = record.LargestLearningRateInterval 0.95
                Expect.isTrue $"{rates}" (rates.Low <= 0.05 && rates.High >= 0.05 * (1.0 - 1e-6) && rates.Low > 0.0)
                let trace = curvatures.ToArray() |> Array.sum
                Expect.within "trace" (6.0 * record.Trace.StandardError + 1e-3) trace record.Trace.Value
                Expect.equal "products" 20 record.Matvecs
                Expect.equal "forms" 8 record.QuadraticForms
                // The three large eigenvalues are known from the vectors, and the signs see diagonal matrices exactly.
                Expect.isTrue $"{record.Trace}" (record.Trace.StandardError < 0.5)
                Expect.isTrue "no noise without data" (isNull record.NoiseScale)
                let again = monitor |> Monitor.measure theta
                Expect.equal "fewer products" 10 again.Matvecs
                Expect.within "sharpness again" (40.0 * tolerance) 40.0 again.Sharpness.Value
        }

        test "the last eigenvectors lead to the next" {
            // The spectrum has no gap, and moves on slowly.
            let d = Tensor.linspace DType.Float64 0.1 1.0 400
            let risk = Risk.ofFunction (quartic d)
            let few = options.WithLanczosSteps(60, 6)

            let warm, cold =
                Monitor.create few risk, Monitor.create ((options.WithLanczosSteps(6, 6)).WithEigenvectors 0) risk

            let errors (monitor: TrainingMonitor) =
                [
                    for step in 0..12 ->
                        let drift = Tensor.normal (Key.OfSeed 9L) DType.Float64 [ 400 ]
                        let theta = Tensor.ones DType.Float64 [ 400 ] + 0.002 * float step * drift
                        let truth = (Tensor.max (d * Tensor.square theta)).ToScalar()
                        (truth - (monitor.Measure theta).Sharpness.Value) / truth
                ]
                |> List.tail

            let warm, cold = errors warm, errors cold
            let mean (errors: float list) = List.average errors

            Expect.isTrue
                $"{mean warm} and {mean cold}"
                (mean warm < 0.5 * mean cold && List.forall (fun e -> e >= -1e-9) warm)
        }

        for name, d in
            [
                "flat", Array.init 300 (fun i -> float (i + 1) / 300.0)
                "decaying", Array.init 300 (fun i -> 1.0 / float ((i + 1) * (i + 1)))
                "indefinite", Array.init 300 (fun i -> Math.Sin(float i))
                "a pair at the top",
                Array.init 300 (fun i -> if i < 2 then 1.0 + 0.01 * float i else 0.3 * float i / 300.0)
            ] do
            for first, later, vectors in [ 4, 3, 4; 12, 8, 4; 60, 40, 4; 12, 12, 0 ] do
                test $"intervals hold the largest eigenvalue and the trace: {name}, {first} and {later} steps" {
                    let key = Key.OfSeed 61L
                    let d = Tensor.ofArray [ 300 ] d
                    let runs = 200

                    let options =
                        MonitorOptions.Default
                            .WithLanczosSteps(first, later)
                            .WithEigenvectors(vectors)
                            .WithProbes(if later = 3 then 3 else 8)
                            .WithKey
                            key

                    let monitor = Monitor.create options (Risk.ofFunction (quartic d))

                    let found =
                        [
                            for run in 0 .. runs - 1 ->
                                // Points far apart: the eigenvectors of the last one are wrong ones.
                                let theta = Tensor.normal (key.FoldIn(uint32 (run % 7))) DType.Float64 [ 300 ]
                                let hessian = (d * Tensor.square theta).ToArray()
                                let record = monitor.Measure theta
                                let sharpness = record.Sharpness.Interval 0.95
                                let trace = record.Trace.Interval 0.95
                                let top, sum = Array.max hessian, Array.sum hessian
                                // Forms of signs with a diagonal matrix are exact: rounding is all that is left.
                                sharpness.Low <= top && top <= sharpness.High,
                                trace.Low - 1e-9 <= sum && sum <= trace.High + 1e-9,
                                sharpness.High - sharpness.Low,
                                top
                        ]

                    // Of 200 at 95 %, 190 ± 3.1: 172 are missed by chance in less than one of a million.
                    let count f = found |> List.filter f |> List.length
                    Expect.inRange $"sharpness, {key}" 172 200 (count (fun (a, _, _, _) -> a))
                    Expect.inRange $"trace, {key}" 172 200 (count (fun (_, b, _, _) -> b))
                    let widest = found |> List.map (fun (_, _, width, top) -> width / top) |> List.max
                    // Few steps say nothing, and many say it to a few percent.
                    if first = 4 then Expect.equal "not known" infinity widest
                    if first = 60 then Expect.isTrue $"{widest}" (widest < 0.4)
                }

        for probes in [ 3; 8; 40 ] do
            test $"intervals of {probes} forms hold the trace of a full matrix" {
                let key = Key.OfSeed 71L
                // A matrix without a diagonal form: what signs do not see exactly.
                let factor = Tensor.normal (Key.OfSeed 72L) DType.Float64 [ 60; 60 ]
                let scales = Tensor.ofArray [ 60 ] (Array.init 60 (fun i -> 1.0 / float (i + 1)))
                let half = factor * scales
                let loss theta = 0.5 * Tensor.sum (Tensor.square (Tensor.matmul half theta))
                let truth = (Tensor.sum (Tensor.square half)).ToScalar()
                let monitor = Monitor.create (options.WithProbes(probes).WithKey key) (Risk.ofFunction loss)
                let theta = Tensor.ones DType.Float64 [ 60 ]

                let covered =
                    [
                        for _ in 1..300 ->
                            let interval = (monitor.Measure theta).Trace.Interval 0.95
                            interval.Low <= truth && truth <= interval.High
                    ]
                    |> List.filter id
                    |> List.length

                // Of 300 at 95 %, 285 ± 3.8: five and a half deviations.
                Expect.inRange $"covered, {key}" 264 300 covered
            }

        test "a training is watched" {
            let network, risk, shuffled = networkRisk.Value
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
            // Most of the time, so that there are measurements in a short training.
            let monitor = Monitor.create (options.WithTimeShare 0.9) risk

            let descent = Optimizer.momentum 0.1 0.5 |> Optimizer.scheduled (LearningRate.constant 0.5)
            let training = TrainingOptions.Default.WithEpochs(150).WithOptimizer descent
            let result = Training.minimize (training.WithMonitor monitor) shuffled theta
            Expect.equal "steps" 450 monitor.Steps
            Expect.isGreaterThan "measurements" (monitor.Records.Count, 1)
            let record = measured monitor.Last
            // Momentum 0.5 makes gradient descent of rate 0.05 as stable as one of 0.05/1.5.
            Expect.within "the rate" 1e-12 (0.05 / 1.5) record.LearningRate
            Expect.isTrue "noise" (not (isNull record.NoiseScale))
            Expect.equal "losses" 450 monitor.Losses.Count
            // Watching changes nothing.
            let alone = Training.minimize training shuffled theta
            Expect.sameBits alone.Theta result.Theta
        }

        test "the charts show what was seen" {
            let _, risk, _ = networkRisk.Value
            let network, _, _ = networkRisk.Value
            let monitor = Monitor.create (options.WithTimeShare 0.9) risk
            let mutable theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network

            for _ in 1..300 do
                let found = Gradient.ofRisk risk theta
                theta <- theta - 0.1 * found.Gradient
                Monitor.observe theta found.Loss 0.1 monitor |> ignore

            monitor.Measure theta |> ignore
            let svg = Monitor.toSvg monitor
            XDocument.Parse svg |> ignore

            for part in
                [
                    "Loss"
                    "Sharpness"
                    "2/learning rate"
                    "Trace of the Hessian"
                    "Gradient noise scale"
                    "95 % interval"
                ] do
                Expect.stringContains part part svg

            Expect.equal "charts" 4 monitor.Charts.Count
            let text = string (measured monitor.Last)

            for part in [ "step 300"; "sharpness"; "2/sharpness"; "trace"; "noise scale"; "% of the time" ] do
                Expect.stringContains part part text

            // Nothing measured yet is no error.
            let fresh = Monitor.create options risk
            XDocument.Parse(Monitor.toSvg fresh) |> ignore
        }

        test "a monitor goes on from its file as if it had not been interrupted" {
            let path = Path.Combine(TemporaryFolder.create "curvature-monitor-", "monitor.bin")
            let network, risk, _ = networkRisk.Value
            let theta step = Network.initialize (Key.OfSeed(int64 step)) DType.Float64 network

            let run (monitor: TrainingMonitor) (clock: ManualClock) steps =
                for step: int in steps do
                    clock.Advance 1.0
                    monitor.Observe(theta step, float step, 0.1) |> ignore
                    // Measurements cost nothing on this clock, and are made by hand.
                    if step % 5 = 0 then monitor.Measure(theta step) |> ignore

            let timed (clock: ManualClock) = options.WithTimeShare(1e-9).WithClock clock
            let clock = ManualClock()
            let whole = Monitor.create (timed clock) risk
            run whole clock [ 1..20 ]

            let other = ManualClock()
            let first = Monitor.create (timed other) risk
            run first other [ 1..10 ]
            first.Save path
            let second = risk |> Monitor.resume (timed other) path
            other.Advance 1000.0
            run second other [ 11..20 ]
            Expect.equal "steps" 20 second.Steps
            Expect.equal "losses" (List.ofSeq whole.Losses) (List.ofSeq second.Losses)
            // The step after an interruption has no time.
            Expect.within "seconds" 1e-9 (whole.StepSeconds - 1.0) second.StepSeconds

            for a, b in Seq.zip whole.Records second.Records do
                Expect.equal "step" a.Step b.Step
                Expect.equal "sharpness" a.Sharpness.Value b.Sharpness.Value
                Expect.equal "its interval" (a.Sharpness.Interval 0.9).High (b.Sharpness.Interval 0.9).High
                Expect.equal "trace" (a.Trace.Interval 0.9).Low (b.Trace.Interval 0.9).Low

                match a.NoiseScale, b.NoiseScale with
                | null, _
                | _, null -> failtest "noise"
                | a, b -> Expect.equal "noise" (a.Interval 0.9).High (b.Interval 0.9).High

            let resume () = risk |> Monitor.resume options path |> ignore
            let bytes = File.ReadAllBytes path

            for place in [ 3; 30; bytes.Length - 1 ] do
                let damaged = Array.copy bytes
                damaged[place] <- damaged[place] ^^^ 1uy
                File.WriteAllBytes(path, damaged)
                Expect.error<DataException> [ path ] resume

            File.WriteAllBytes(path, bytes[.. bytes.Length / 2])
            Expect.error<DataException> [ path ] resume
            File.Delete path
            Expect.error<DataException> [ path ] resume
        }

        test "what cannot be measured is refused" {
            let error fragments action = Expect.error<ArgumentRangeException> fragments (action >> ignore)
            error [ "share"; "0" ] (fun () -> options.WithTimeShare 0.0)
            error [ "share"; "1" ] (fun () -> options.WithTimeShare 1.0)
            error [ "Lanczos"; "1" ] (fun () -> options.WithLanczosSteps(1, 5))
            error [ "eigenvectors"; "-1" ] (fun () -> options.WithEigenvectors -1)
            error [ "form"; "0" ] (fun () -> options.WithProbes 0)
            let monitor = Monitor.create options (Risk.ofFunction (fun theta -> Tensor.sum (Tensor.square theta)))
            monitor.Measure(Tensor.ones DType.Float64 [ 30 ]) |> ignore

            Expect.error<ShapeException> [ "30"; "31" ] (fun () ->
                monitor.Measure(Tensor.ones DType.Float64 [ 31 ]) |> ignore)

            let infinite = Monitor.create options (Risk.ofFunction (fun theta -> Tensor.sum (Tensor.log theta)))
            Expect.error<NonFiniteException> [] (fun () -> infinite.Measure(Tensor.zeros DType.Float64 [ 3 ]) |> ignore)
        }

        test "a function of few parameters is known exactly" {
            let monitor = Monitor.create options (Risk.ofFunction (bowl (tensor [ 3.0 ])))
            let record = monitor.Measure(tensor [ 1.0 ])
            Expect.within "sharpness" 1e-12 3.0 record.Sharpness.Value
            Expect.within "trace" 1e-12 3.0 record.Trace.Value
            let interval = record.Sharpness.Interval 0.99
            Expect.isTrue $"{interval}" (interval.Low <= 3.0 && interval.High >= 3.0 && interval.High < 3.001)
        }

        test "a hill has no largest learning rate" {
            let monitor = Monitor.create options (Risk.ofFunction (bowl (tensor [ -3.0; -1.0 ])))
            Expect.equal "the rate" infinity (monitor.Measure(tensor [ 1.0; 1.0 ])).LargestLearningRate
        }
    ]
