namespace Curvature.Samples.Report

open System
open System.Diagnostics
open Curvature
open Curvature.FSharp
open Curvature.Kernels

/// What was found.
type Report =
    {
        Problem: Problem
        Training: TrainingResult
        Loss: float
        Accuracy: float
        GradientNorm: float
        Trace: Estimate<float>
        BlockTraces: BlockTrace[]
        Diagonal: Estimate<Tensor>
        /// The trace without chance, where the network is small enough.
        Exact: Estimate<float> option
        Seconds: float
    }

/// Training a network and measuring the curvature of its loss.
[<RequireQualifiedAccess>]
module Analysis =

    /// The exact trace costs a quadratic form for each parameter: up to this many it is computed beside the estimate.
    let largestExact = 5000

    let private listen (tell: 'P -> unit) =
        { new IProgress<'P> with
            member _.Report progress = tell progress
        }

    let private train (display: Display) (key: Key) (problem: Problem) (theta: Tensor) =
        let options =
            TrainingOptions.Default
                .WithEpochs(problem.Epochs)
                .WithBatchSize(problem.BatchSize)
                .WithOptimizer(Optimizer.adam problem.LearningRate)

        display.Work(
            $"Training {problem.Architecture}",
            fun tell ->
                let progress = listen (fun (p: TrainingProgress) -> tell (float p.Epoch / float p.Epochs))
                Training.minimize (options.WithProgress progress) key problem.Loss problem.Inputs problem.Targets theta
        )

    /// As many vectors at a time as keep the activations of all rows within about a quarter of a gibibyte.
    let private sampling (problem: Problem) (tell: float -> unit) =
        let width = problem.Network.Layout.Tensors |> Seq.sumBy (fun tensor -> tensor.Shape[0])
        let size = (1 <<< 25) / max 1 (problem.Rows * width)

        SamplingOptions.Default
            .WithBlockSize(Math.Clamp(size, 1, 16))
            .WithProgress(listen (fun (p: SamplingProgress) -> tell p.Completed))

    let private estimate (display: Display) (options: Options) key (problem: Problem) hessian =
        let blocks = ParameterLayout.blocks problem.Network.Layout

        let measurement =
            Measurement.both
                Measurement.trace
                (Measurement.both
                    (Measurement.unwatched (Measurement.blockTraces blocks))
                    (Measurement.unwatched Measurement.diagonal))

        let stop =
            StoppingRule.relativeError options.RelativeError
            |> StoppingRule.orElse (StoppingRule.matvecs options.MaxProducts)

        display.Work(
            "Estimating trace and diagonal",
            fun tell -> Hutchinson.estimateWith (sampling problem tell) Probe.rademacher measurement stop key hessian
        )

    let private exact (display: Display) (problem: Problem) hessian =
        if problem.Network.ParameterCount > largestExact then
            None
        else
            display.Work("Exact trace", fun tell -> Some(Exact.traceWith (sampling problem tell) hessian))

    /// Loads what the options ask for, trains, and measures. The same seed gives the same bits on any number of threads.
    let run (display: Display) (options: Options) : Report =
        let clock = Stopwatch.StartNew()

        let device: Device =
            match options.Threads with
            | Some threads -> CpuDevice(threads, InstructionSets.Best)
            | None -> CpuDevice.Shared

        let keys = (Key.OfSeed options.Seed).Split 4
        let problem = Problem.load device keys[0] options

        display.Say
            $"Curvature of a network ({problem.Architecture}) of {Numbers.count problem.Network.ParameterCount} parameters on {problem.Title} ({Numbers.count problem.Rows} rows), {options.DType.ToString().ToLowerInvariant()}, seed {options.Seed}"

        let start = problem.Network.Initialize(keys[1], options.DType) |> Tensor.toDevice device
        let training = train display keys[2] problem start
        let loss theta = problem.Loss theta problem.Inputs problem.Targets
        let point = Hessian.evaluate loss training.Theta
        let hessian = point.Hessian
        let trace, (blockTraces, diagonal) = estimate display options keys[3] problem hessian
        let outputs = Network.forward problem.Network training.Theta problem.Inputs

        {
            Problem = problem
            Training = training
            Loss = point.Loss
            Accuracy = Loss.accuracy problem.Labels outputs
            GradientNorm = (Tensor.norm point.Gradient).ToScalar()
            Trace = trace
            BlockTraces = blockTraces
            Diagonal = diagonal
            Exact = exact display problem hessian
            Seconds = clock.Elapsed.TotalSeconds
        }
