namespace Curvature

open Curvature.FSharp

/// A named value on the way of a batch through a network.
[<Sealed>]
type ActivationTap internal (name: string, shape: int[]) =
    /// The name: that of the part of the network whose output it is, such as `layer1.0.bn1`, or one that a layer gave it.
    member _.Name = name

    /// The shape of the value for the batch, [samples; …].
    member _.Shape = Array.copy shape

    /// How many elements it has for the batch.
    member _.Size = Shape.size shape

    override _.ToString() = $"{name} {Shape.show shape}"

/// The trace of the Hessian of a loss with respect to a value on the way through a network.
[<Sealed; NoEquality; NoComparison>]
type ActivationTrace
    internal (tap: ActivationTap, trace: Estimate<float>, perSample: Estimate<Tensor>, couplesSamples: bool) =
    /// The value.
    member _.Tap = tap

    /// The trace over the whole batch.
    member _.Trace = trace

    /// The trace of the block of each sample, Float64 [samples], all from the same random vectors. They sum to the trace.
    member _.PerSample = perSample

    /// Whether samples act on each other, as they do through batch normalisation in training. The Hessian then has entries between
    /// samples, and a sample's trace is that of its own block, with the activations of the others held fixed; otherwise there are
    /// no such entries.
    member _.CouplesSamples = couplesSamples

    override _.ToString() = $"{tap.Name}: {trace}"

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
            let count = 1 + counts.GetValueOrDefault name
            counts[name] <- count

            if value.DType = DType.Int32 then
                value
            else
                see (if count = 1 then name else $"{name}#{count}") value

    /// The values that can be tapped, in the order in which the network makes them: the outputs of the parts of composed layers, and what layers
    /// name by `Parameters.Tap`. Costs one forward pass.
    let taps (network: Network) (theta: Tensor) (inputs: Tensor) : ActivationTap list =
        let found = ResizeArray<ActivationTap>()

        let see name (value: Tensor) =
            found.Add(ActivationTap(name, value.Shape))
            value

        network.ForwardTapped(numbered see, theta, inputs) |> ignore
        List.ofSeq found

    let private find (known: ActivationTap list) (name: string) =
        match known |> List.tryFind (fun tap -> tap.Name = name) with
        | Some tap -> tap
        | None ->
            let names = System.String.Join(", ", known |> List.map _.Name)
            raise (ParameterException $"there is no tap \"{name}\"; there are: {names}")

    let private operatorAt (network: Network) (loss: Tensor -> Tensor) (theta: Tensor) inputs (tap: ActivationTap) =
        let perturbed (delta: Tensor) =
            let see name (value: Tensor) = if name = tap.Name then value + delta else value
            loss (network.ForwardTapped(numbered see, theta, inputs))

        Tensor.zeros theta.DType (List.ofArray tap.Shape) |> Tensor.toDevice theta.Device |> Hessian.at perturbed

    /// The Hessian of loss(outputs) with respect to the value at a tap, for a batch: the second derivative by a perturbation that is added there.
    /// It is symmetric of size N·d for N samples with d values each, in row-major order. A product costs about two gradients from the
    /// tap on. In evaluation, and for a loss that is a sum or a mean over samples, it is block-diagonal with a block for each sample.
    /// Raises ParameterException where there is no such tap, naming those that there are, and otherwise as `Hessian.at`.
    let at (network: Network) (loss: Tensor -> Tensor) (tap: string) (theta: Tensor) (inputs: Tensor) : LinearOperator =
        find (taps network theta inputs) tap |> operatorAt network loss theta inputs

    let private samples (inputs: Tensor) (tap: ActivationTap) =
        match tap.Shape with
        | shape when shape.Length > 0 && inputs.Rank > 0 && shape[0] = inputs.Shape[0] -> shape[0]
        | shape ->
            raise (
                ShapeException
                    $"ActivationHessian: the value at {tap.Name} has shape {Shape.show shape}, and no leading axis of the samples of the inputs {Shape.show inputs.Shape}"
            )

    /// Trace and traces of the samples' blocks from z∘Hz. A stopping rule sees the trace.
    let private measurement (count: int) : Measurement<Estimate<float> * Estimate<Tensor>> =
        Measurement(
            true,
            fun operator ->
                let total = FormMoments()
                let own = RunningVectorMoments(count, operator.Device)

                { new Accumulator<_>() with
                    member _.Add sample =
                        let weighted = sample.Weighted
                        let vectors = weighted.Signature.Shape[0]

                        let sums =
                            Tensor.reshape [ vectors; count; operator.Columns / count ] weighted |> Tensor.sumAxes [ 2 ]

                        own.AddRows sums
                        total.Add(sample.Vectors, sample.Forms)

                    member _.Summary = [| struct (total.Mean, total.StandardError, true) |]

                    member _.Finish ledger =
                        Estimates.sampled total.Law total.Mean total.StandardError ledger,
                        Estimates.vector own.Mean own.StandardError ledger

                    member _.State = [ total; own ]
                }
        )

    let private each
        (network: Network)
        theta
        inputs
        (names: string list)
        (f: int -> ActivationTap -> int -> Estimate<float> * Estimate<Tensor>)
        =
        let known = taps network theta inputs
        let chosen = names |> List.map (find known)

        chosen
        |> List.mapi (fun i tap ->
            let trace, perSample = f i tap (samples inputs tap)
            ActivationTrace(tap, trace, perSample, network.CouplesSamples))

    /// The trace of the Hessian with respect to each of some values, with options for cancellation, progress, block size and checkpoint,
    /// to whose name the number of the tap is added; see `traces`.
    let tracesWith
        (options: SamplingOptions)
        (probe: Probe)
        (network: Network)
        (loss: Tensor -> Tensor)
        (names: string list)
        stop
        (key: Key)
        (theta: Tensor)
        (inputs: Tensor)
        : ActivationTrace list =
        each network theta inputs names (fun i tap count ->
            operatorAt network loss theta inputs tap
            |> Hutchinson.estimateWith (options.ForPart i) probe (measurement count) stop (key.FoldIn(uint32 i)))

    /// The trace of the Hessian of loss(outputs) with respect to each of some values on the way, for the batch and for each sample, from
    /// signs: a random vector for the whole batch gives a sample of the trace of every sample's block, since blocks of different
    /// samples do not meet. Tap number i is estimated from the key's fold with i, one tap after the other: vectors for all taps at
    /// once would add the entries between taps to the variance of each, which outweighs the products that they share.
    /// A product costs about two gradients from the tap on. Raises ParameterException where there is no such tap, and ShapeException for a value without an axis
    /// of samples.
    let traces network loss names stop key theta inputs : ActivationTrace list =
        tracesWith SamplingOptions.Default Probe.rademacher network loss names stop key theta inputs

    /// The same traces exactly: a quadratic form for each element of each value.
    let exactTraces
        (network: Network)
        (loss: Tensor -> Tensor)
        (names: string list)
        (theta: Tensor)
        (inputs: Tensor)
        : ActivationTrace list =
        each network theta inputs names (fun _ tap count ->
            let diagonal = operatorAt network loss theta inputs tap |> Exact.diagonal

            let sums = diagonal.Value |> Tensor.reshape [ count; tap.Size / count ] |> Tensor.sumAxes [ 1 ]

            let rounding =
                diagonal.StandardError
                |> Tensor.square
                |> Tensor.reshape [ count; tap.Size / count ]
                |> Tensor.sumAxes [ 1 ]

            let total =
                Estimates.scalar
                    ((Tensor.sum sums).ToScalar())
                    (sqrt ((Tensor.sum rounding).ToScalar()))
                    diagonal.Ledger

            total, Estimates.vector sums (Tensor.sqrt rounding) diagonal.Ledger)

    // ---- over many batches

    /// Of the ledgers of independent estimates that make up a sum, the one of fewest samples, with the cost of all.
    let private joined (ledgers: Ledger list) : Ledger =
        let fewest = ledgers |> List.minBy _.Samples

        fewest.After(
            (ledgers |> List.sumBy _.Matvecs) - fewest.Matvecs,
            (ledgers |> List.sumBy _.Gradients) - fewest.Gradients,
            (ledgers |> List.sumBy _.Seconds) - fewest.Seconds
        )

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
                (sqrt (sum (fun weight trace -> (weight * trace.RawStandardError) ** 2.0)))
                ledger,
            Estimates.vector (each _.Value) (each _.RawStandardError) ledger,
            first.CouplesSamples
        )

    /// The traces over many batches, and of each sample in their order. The loss is a function of targets and outputs: the mean over a batch
    /// (Reduction.Mean: batches then count by their size) or the sum. The batches are read once, one in memory at a time; each is estimated by
    /// itself until the rule says stop, from the key's fold with its number, so that the errors of batches are independent.
    /// Intervals use the degrees of freedom of the batch with the fewest samples. Raises DataException for no batches, and otherwise as `traces`.
    let tracesOverBatches
        (options: SamplingOptions)
        (probe: Probe)
        (network: Network)
        (reduction: Reduction)
        (loss: Tensor -> Tensor -> Tensor)
        (names: string list)
        stop
        (key: Key)
        (batches: Batch seq)
        (theta: Tensor)
        : ActivationTrace list =
        let found =
            batches
            |> Seq.mapi (fun index batch ->
                if isNull (box batch) then
                    raise (DataException $"ActivationHessian: batch {index} is null")

                let on t = Tensor.toDevice theta.Device t
                let own = key.FoldIn(uint32 index)
                let criterion = loss (on batch.Targets)
                batch.Size, tracesWith options probe network criterion names stop own theta (on batch.Inputs))
            |> List.ofSeq

        if found.IsEmpty then
            raise (DataException "ActivationHessian: there are no batches")

        let weight =
            match reduction with
            | Reduction.Mean ->
                let total = found |> List.sumBy fst
                fun size -> float size / float total
            | Reduction.Sum -> fun _ -> 1.0
            | other ->
                raise (
                    ArgumentRangeException
                        $"ActivationHessian: the reduction is Mean or Sum, and this one is {int other}"
                )

        names
        |> List.mapi (fun i _ -> found |> List.map (fun (size, traces) -> weight size, traces[i]) |> concatenated)
