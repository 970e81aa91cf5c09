namespace Curvature.Samples.Report

open System
open System.Diagnostics
open Curvature
open Curvature.FSharp
open Curvature.Kernels

/// The trace as it stood after some random vectors, with the ends of its 95 % interval.
type TracePoint = { Samples: int; Value: float; Low: float; High: float }

/// What was found.
type Report =
    {
        Options: Options
        Problem: Problem
        /// Nothing where the parameters came from a file.
        Training: TrainingResult option
        Loss: float
        Accuracy: float
        GradientNorm: float
        Trace: Estimate<float>
        TraceHistory: TracePoint[]
        BlockTraces: BlockTrace[]
        Diagonal: Estimate<Tensor>
        /// The trace without chance, where it is cheaper than an estimate of the spectrum.
        Exact: Estimate<float> option
        TopEigenpairs: EigenPairs
        Spectrum: SpectralSample
        Landscapes: Landscapes
        /// Nothing where no rows were held out.
        HeldOut: HeldOut option
        Seconds: float
    }

/// Training a network and measuring the curvature of its loss.
[<RequireQualifiedAccess>]
module Analysis =

    let private train (display: Display) (key: Key) (problem: Problem) (schedule: Schedule) (theta: Tensor) =
        let options =
            TrainingOptions.Default.WithEpochs(schedule.Epochs).WithOptimizer(Optimizer.adam schedule.LearningRate)

        display.Work(
            $"Training {problem.Architecture}",
            fun tell ->
                let progress = Progress.listen (fun (p: TrainingProgress) -> tell (float p.Epoch / float p.Epochs))
                let batches = Batches.shuffledEachPass schedule.BatchSize key problem.Inputs problem.Targets
                Training.minimize (options.WithProgress progress) (Risk.withPasses batches problem.Risk) theta
        )

    /// The parameters at which curvature is measured, and how they were trained.
    let private parameters display (device: Device) (initial: Key) (order: Key) (problem: Problem) =
        match problem.Start with
        | Load theta -> theta, None
        | Train schedule ->
            let start = schedule.Initialize initial |> Tensor.toDevice device
            let training = train display order problem schedule start
            training.Theta, Some training

    /// Every block is told, so that the history of a trace is the same on every machine.
    let private sampling (problem: Problem) (tell: SamplingProgress -> unit) =
        RunOptions.Default.WithBlockSize(problem.BlockSize).WithProgress(Progress.listen tell, 0.0)

    let private share (tell: float -> unit) (p: SamplingProgress) = tell p.Completed

    let private estimate (display: Display) (options: Options) key (problem: Problem) hessian =
        let blocks = ParameterLayout.blocks problem.Layout

        let measurement =
            Measurement.both
                Measurement.trace
                (Measurement.both
                    (Measurement.unwatched (Measurement.blockTraces blocks))
                    (Measurement.unwatched Measurement.diagonal))

        let products = StoppingRule.matvecs options.MaxProducts

        let stop =
            match options.RelativeError with
            | Some error -> StoppingRule.relativeError error |> StoppingRule.orElse products
            | None -> products

        let history = ResizeArray<TracePoint>()

        let remember (p: SamplingProgress) =
            if p.Samples > 1 && Double.IsFinite p.StandardError then
                let interval = p.Interval 0.95

                history.Add
                    {
                        Samples = p.Samples
                        Value = p.Value
                        Low = interval.Low
                        High = interval.High
                    }

        let found =
            display.Work(
                "Estimating trace and diagonal",
                fun tell ->
                    let options =
                        sampling problem (fun p ->
                            remember p
                            share tell p)

                    Estimate.runWith options (Hutchinson.estimator Probe.rademacher measurement) stop key hessian
            )

        found, history.ToArray()

    /// All eigenvalues give the exact trace without a further product.
    let private exact (trace: Estimate<float>) (spectrum: SpectralSample) =
        if trace.IsExact then Some trace
        elif spectrum.Ledger.IsExact then Some(StochasticLanczos.trace id spectrum)
        else None

    /// Bytes that vectors of Lanczos recurrences side by side may take; more is not faster.
    let private basisBytes = 1L <<< 29

    let private spectrum (display: Display) (options: Options) key (hessian: LinearOperator) =
        let bytes = int64 options.DensitySteps * int64 hessian.Columns * 8L
        let width = int (Math.Clamp(basisBytes / bytes, 1L, 16L))
        let sampling = RunOptions.Default.WithBlockSize width

        display.Work(
            "Eigenvalue density",
            fun _ ->
                // All eigenvalues where that takes no more products than a sample.
                Spectrum.automaticWith sampling Probe.rademacher options.Probes options.DensitySteps key hessian
        )

    let private eigenpairs (display: Display) (options: Options) key (hessian: LinearOperator) =
        let search = EigenOptions.Default.WithKey(key).WithBasisSize(2 * options.Eigenvalues + 20)

        display.Work(
            "Largest eigenvalues",
            fun _ -> ThickRestartLanczos.findWith search SpectrumEnd.Largest options.Eigenvalues hessian
        )

    let private landscapes (display: Display) (options: Options) key (problem: Problem) gradient pairs theta =
        let look tell = Landscapes.around tell options.LandscapePoints key problem gradient pairs theta
        display.Work("Landscapes", look)

    /// Loads what the options ask for, trains, and measures. The same seed gives the same bits on any number of
    /// threads.
    let run (display: Display) (options: Options) : Report =
        let clock = Stopwatch.StartNew()

        let device: Device =
            match options.Threads with
            | Some threads -> CpuDevice(threads, InstructionSets.Best)
            | None -> CpuDevice.Shared

        let keys = (Key.OfSeed options.Seed).Split 7
        let problem = Problem.load device keys[0] options

        display.Say(
            $"Curvature of a network ({problem.Architecture}) of "
            + $"{Typeset.count problem.Layout.Size} parameters on {problem.Title} "
            + $"({Typeset.count problem.Rows} rows), {options.DType.ToString().ToLowerInvariant()}, seed "
            + $"{options.Seed}"
        )

        let theta, training = parameters display device keys[1] keys[2] problem
        let point = Hessian.evaluate problem.Risk theta
        let hessian = point.Hessian
        let (trace, (blockTraces, diagonal)), history = estimate display options keys[3] problem hessian
        let pairs = eigenpairs display options keys[4] hessian
        let spectrum = spectrum display options keys[5] hessian

        {
            Options = options
            Problem = problem
            Training = training
            Loss = point.Loss
            Accuracy = problem.Accuracy theta
            GradientNorm = (Tensor.norm point.Gradient).ToScalar()
            Trace = trace
            TraceHistory = history
            BlockTraces = blockTraces
            Diagonal = diagonal
            Exact = exact trace spectrum
            TopEigenpairs = pairs
            Spectrum = spectrum
            Landscapes = landscapes display options keys[6] problem point.Gradient pairs theta
            HeldOut = display.Work("Held-out rows", fun _ -> HeldOut.measure problem theta)
            Seconds = clock.Elapsed.TotalSeconds
        }
