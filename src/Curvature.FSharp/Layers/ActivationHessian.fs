namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// A named intermediate value of a network, for one batch.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ActivationTap internal (name: string, shape: int[]) =
    /// The name: that of the part of the network whose output it is, such as `layer1.0.bn1`, or one that a layer gave
    /// it.
    member _.Name = name

    /// The shape of the value for the batch, [samples; …].
    member _.Shape = Array.copy shape

    /// How many elements it has for the batch.
    member _.Size = Shape.size shape

    override _.ToString() = $"{name} {Shape.show shape}"

    member internal this.Text = this.ToString()

/// The trace of the Hessian of a loss with respect to an intermediate value of a network.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ActivationTrace
    internal (tap: ActivationTap, trace: Estimate<float>, perSample: Estimate<Tensor>, couplesSamples: bool) =
    /// The value.
    member _.Tap = tap

    /// The trace over the whole batch.
    member _.Trace = trace

    /// The trace of the block of each sample, Float64 [samples], all from the same random vectors. They sum to the
    /// trace.
    member _.PerSample = perSample

    /// Whether samples act on each other, as they do through batch normalisation in training. The Hessian then has
    /// entries between samples, and a sample's trace is that of its block, with the activations of the others held
    /// fixed; otherwise there are no such entries.
    member _.CouplesSamples = couplesSamples

    override _.ToString() = $"{tap.Name}: {trace}"

    member internal this.Text = this.ToString()

/// How traces of activation Hessians are estimated. Immutable; `Default` and the methods With… make others.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ActivationTraceOptions private (probe: Probe, stop: StoppingRule, key: Key, run: RunOptions) =
    /// Signs, an error of 1 % at 95 % confidence or 1000 random vectors for each batch, key 0.
    static member Default =
        let stop = StoppingRule.orElse (StoppingRule.matvecs 1000) (StoppingRule.relativeError 0.01)
        ActivationTraceOptions(Probe.Rademacher, stop, Key.OfSeed 0L, RunOptions.Default)

    /// The distribution of the random vectors.
    member _.Probe = probe

    /// When the estimate for a batch has done enough.
    member _.Stop = stop

    /// The key of the random vectors.
    member _.Key = key

    /// Cancellation, progress and checkpoint.
    member _.Run = run

    /// The same options with another distribution of the random vectors.
    member _.WithProbe(value: Probe) = ActivationTraceOptions(value, stop, key, run)

    /// The same options with another stopping rule.
    member _.WithStop(value: StoppingRule) = ActivationTraceOptions(probe, value, key, run)

    /// The same options with another key.
    member _.WithKey(value: Key) = ActivationTraceOptions(probe, stop, value, run)

    /// The same options with other cancellation, progress and checkpoint.
    member _.WithRun(value: RunOptions) = ActivationTraceOptions(probe, stop, key, value)

    override _.ToString() = $"{probe} vectors of {key}, until {stop}; {run}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// The Hessian of a loss with respect to activations: intermediate values of a network, at which a tap names them.
[<RequireQualifiedAccess>]
module ActivationHessian =

    /// Tells values of one pass apart: a part that runs twice has the taps `name` and `name#2`.
    let private numbered (see: string -> Tensor -> Tensor) : Tap =
        let counts = Dictionary<string, int>()

        fun name value ->
            let count =
                match counts.TryGetValue name with
                | true, earlier -> earlier + 1
                | _ -> 1

            counts[name] <- count

            if value.DType = DType.Int32 then
                value
            else
                see (if count = 1 then name else $"{name}#{count}") value

    /// The values that can be tapped, in the order in which the network makes them: the outputs of the parts of
    /// composed layers, and what layers name by `Parameters.Tap`. Costs one forward pass.
    let taps (network: Network) (theta: Tensor) (inputs: Tensor) : ActivationTap list =
        let found = ResizeArray<ActivationTap>()

        let see name (value: Tensor) =
            found.Add(ActivationTap(name, value.Shape))
            value

        network.ForwardTapped(numbered see, theta, inputs) |> ignore
        List.ofSeq found

    let private find (known: ActivationTap list) = Named.find "tap" (fun (tap: ActivationTap) -> tap.Name) known

    let private operatorAt (network: Network) (loss: Tensor -> Tensor) (theta: Tensor) inputs (tap: ActivationTap) =
        let perturbed (delta: Tensor) =
            let see name (value: Tensor) = if name = tap.Name then value + delta else value
            loss (network.ForwardTapped(numbered see, theta, inputs))

        Tensor.zeros theta.DType (List.ofArray tap.Shape) |> Tensor.toDevice theta.Device |> Hessian.at perturbed

    /// The Hessian of loss(outputs) with respect to the value at a tap, for a batch: the second derivative by a
    /// perturbation that is added there. It is symmetric of size N·d for N samples with d values each, in row-major
    /// order. A product costs about two gradients from the tap on. In evaluation, and for a loss that is a sum or a
    /// mean over samples, it is block-diagonal with a block for each sample.
    /// Raises ParameterException where there is no such tap, naming those that there are, and otherwise as
    /// `Hessian.at`.
    let at (network: Network) (loss: Tensor -> Tensor) (tap: string) (theta: Tensor) (inputs: Tensor) : LinearOperator =
        find (taps network theta inputs) tap |> operatorAt network loss theta inputs

    let private samples (inputs: Tensor) (tap: ActivationTap) =
        match tap.Shape with
        | shape when shape.Length > 0 && inputs.Rank > 0 && shape[0] = inputs.Shape[0] -> shape[0]
        | shape ->
            Fail.shape (
                $"ActivationHessian: the value at {tap.Name} has shape {Shape.show shape}, and no leading axis of the "
                + $"samples of the inputs {Shape.show inputs.Shape}"
            )

    /// Trace and traces of the samples' blocks from z∘Hz. A stopping rule sees the trace.
    let private measurement (count: int) : Measurement<Estimate<float> * Estimate<Tensor>> =
        let exact =
            ExactResult.ofDiagonal (fun dtype diagonal ledger ->
                let size = diagonal.Length / max 1 count

                let perSample =
                    Array.init count (fun i -> ExactResult.sum dtype diagonal[i * size .. (i + 1) * size - 1] ledger)

                let vector (pick: Estimate<float> -> float) = perSample |> Array.map pick |> Tensor.ofArray [ count ]

                ExactResult.sum dtype diagonal ledger,
                Estimates.vector (vector _.Value) (vector _.StandardError) ledger)

        Measurement(
            true,
            (fun operator ->
                let total = FormMoments()
                let perSample = RunningVectorMoments(count, operator.Device)

                { new Accumulator<_>() with
                    member _.Add sample =
                        let weighted = sample.Weighted
                        let vectors = weighted.Signature.Shape[0]

                        let sums =
                            Tensor.reshape [ vectors; count; operator.Columns / count ] weighted
                            |> Tensor.sumAxes [ 2 ]

                        perSample.AddRows sums
                        total.Add(sample.Vectors, sample.Forms)

                    member _.Summaries = [| struct (Summaries.ofForms total, true) |]

                    member _.Finish ledger =
                        Estimates.sampled total.Law total.Mean total.StandardError ledger,
                        Estimates.vector perSample.Mean perSample.StandardError ledger

                    member _.State = [ total; perSample ]
                }),
            exact
        )

    /// Trace and traces of samples for each named tap of one batch, by a function of the number of the tap and its
    /// Hessian.
    let private ofBatch
        (network: Network)
        (criterion: RiskData -> Tensor -> Tensor)
        theta
        (batch: RiskBatch)
        (names: string list)
        (estimate: int -> int -> LinearOperator -> Estimate<float> * Estimate<Tensor>)
        =
        let inputs = batch.Data.Head
        let known = taps network theta inputs

        names
        |> List.map (find known)
        |> List.mapi (fun i tap ->
            let trace, perSample =
                operatorAt network (criterion batch.Data) theta inputs tap |> estimate i (samples inputs tap)

            ActivationTrace(tap, trace, perSample, network.CouplesSamples))

    /// Of the ledgers of independent estimates that make up a sum, the one of fewest samples, with the cost of all.
    let private joined (ledgers: Ledger list) : Ledger =
        let fewest = ledgers |> List.minBy _.Samples

        let others =
            {
                Products = (ledgers |> List.sumBy _.Matvecs) - fewest.Matvecs
                Forms = (ledgers |> List.sumBy _.QuadraticForms) - fewest.QuadraticForms
            }

        fewest.After(others, (ledgers |> List.sumBy _.Seconds) - fewest.Seconds)

    /// One value in many batches, of which each has its weight in the loss.
    let private concatenated (parts: (float * ActivationTrace) list) : ActivationTrace =
        let first = snd parts.Head
        let count = parts |> List.sumBy (fun (_, part) -> part.Tap.Shape[0])
        let ledger = joined (parts |> List.map (fun (_, part) -> part.Trace.Ledger))
        let sum f = parts |> List.sumBy (fun (weight, part: ActivationTrace) -> f weight part.Trace)

        let each (f: Estimate<Tensor> -> Tensor) =
            parts |> List.map (fun (weight, part) -> weight * f part.PerSample) |> Tensor.concat 0

        ActivationTrace(
            ActivationTap(first.Tap.Name, Array.append [| count |] (Array.tail first.Tap.Shape)),
            Estimates.scalar
                (sum (fun weight trace -> weight * trace.Value))
                (sqrt (sum (fun weight trace -> (weight * trace.StandardError) ** 2.0)))
                ledger,
            Estimates.vector (each _.Value) (each _.StandardError) ledger,
            first.CouplesSamples
        )

    /// Each batch by itself, and then all of them.
    let private overRisk (network: Network) (risk: EmpiricalRisk) (theta: Tensor) (names: string list) estimate =
        let name = "ActivationHessian"
        let struct (_, criterion) = RiskModel.require name risk

        if not risk.HasData then
            Fail.data $"{name}: a risk over batches is needed, whose inputs go through the network"

        let found =
            [
                for batch in RiskPass.batches name theta.Device 0 risk.Definition ->
                    batch, ofBatch network criterion theta batch names (estimate batch)
            ]

        let divisor = RiskPass.divisor risk.Definition (found |> List.sumBy (fun (batch, _) -> batch.Size))

        match found with
        | [ _, traces ] -> traces
        | _ ->
            names
            |> List.mapi (fun i _ ->
                found |> List.map (fun (batch, traces) -> batch.Weight / divisor, traces[i]) |> concatenated)

    /// The trace of the Hessian of a risk with respect to each of some intermediate values of a network, over all data
    /// and for each sample in order. The risk gives the data and the criterion of the outputs; its model is the
    /// network. With signs as probes, one random vector for a batch gives an estimate for every sample, since the
    /// Hessian has no entries between samples. Tap number i is estimated from the key's fold with i, one tap after the
    /// other: vectors for all taps at once would add the entries between taps to the variance of each, which outweighs
    /// the products that they share. The batches are read once, one in memory at a time; of several, each is estimated
    /// by itself until the rule says stop, from the key's fold with its number, so that the errors of batches are
    /// independent. Intervals use the degrees of freedom of the batch with the fewest samples. A product costs about
    /// two gradients from the tap on.
    /// Raises OperatorException for a risk without a model, DataException for no batches, ParameterException where
    /// there is no such tap, and ShapeException for a value without an axis of samples.
    let tracesWith
        (options: ActivationTraceOptions)
        (network: Network)
        (risk: EmpiricalRisk)
        (names: string list)
        (theta: Tensor)
        : ActivationTrace list =
        overRisk network risk theta names (fun batch i count operator ->
            let key = options.Key.FoldIn(uint32 batch.Number).FoldIn(uint32 i)
            let part = options.Run.ForPart(batch.Number * names.Length + i)
            Estimate.runWith part (Hutchinson.estimator options.Probe (measurement count)) options.Stop key operator)

    /// The same by signs, with a stopping rule and a key; see `tracesWith`.
    let traces network risk names stop key theta : ActivationTrace list =
        tracesWith (ActivationTraceOptions.Default.WithStop(stop).WithKey key) network risk names theta

    /// The same traces exactly: a quadratic form for each element of each value.
    let exactTraces
        (network: Network)
        (risk: EmpiricalRisk)
        (names: string list)
        (theta: Tensor)
        : ActivationTrace list =
        overRisk network risk theta names (fun _ _ count operator -> Exact.measure (measurement count) operator)
