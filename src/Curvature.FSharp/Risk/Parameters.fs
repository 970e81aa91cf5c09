namespace Curvature

open System.Diagnostics
open System.Collections.Generic

/// What a forward pass does with statistics of batches, such as those of batch normalisation.
[<NoEquality; NoComparison>]
type internal ForwardPass =
    /// Layers use the statistics that the network has.
    | Evaluation
    /// Layers use those of the batch.
    | Training
    /// Layers use those of the batch, and tell them by their full names.
    | Observing of (string -> Tensor -> unit)

/// What happens to a value that a layer makes under a full name: it passes as it is, or something else takes its place.
type internal Tap = string -> Tensor -> Tensor

/// Tensors of parameters by name, as a layer sees them: the names are relative to the layer, such as `weight`.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Parameters internal (tensors: IReadOnlyDictionary<string, Tensor>, pass: ForwardPass, tap: Tap, scope: string) =

    /// Lets every value pass.
    static member val internal Untapped: Tap = (fun _ value -> value)

    /// Whether values are looked at on their way.
    member internal _.IsObserved =
        match pass with
        | Observing _ -> true
        | Evaluation
        | Training -> not (obj.ReferenceEquals(tap, Parameters.Untapped))

    /// The full name of the layer that sees these, such as `2.attention`; empty for the whole network.
    member _.Path = scope.TrimEnd '.'

    /// A tensor by its name in this layer. Raises ParameterException where there is none.
    member _.Item
        with get (name: string): Tensor =
            match tensors.TryGetValue(scope + name) with
            | true, tensor -> tensor
            | _ ->
                let known = System.String.Join(", ", tensors.Keys)
                Fail.parameter $"there is no parameter \"{scope + name}\"; there are: {known}"

    /// What a part of this layer sees: `parameters.Scope "0"` calls `0.weight` `weight`.
    member _.Scope(part: string) = Parameters(tensors, pass, tap, scope + part + ".")

    /// Gives an intermediate value of this layer a name, such as `hidden`, by which the curvature of the loss with
    /// respect to it can be asked for; the layer goes on with what this returns, which otherwise is the value itself.
    /// The outputs of the parts of composed layers have the names of the parts.
    member _.Tap(name: string, value: Tensor) : Tensor = tap (scope + name) value

    /// Whether layers are to use statistics of the batch instead of those that the network has, and dropout acts.
    member _.InTraining =
        match pass with
        | Evaluation -> false
        | Training
        | Observing _ -> true

    /// Tells a statistic of the batch, by its name in this layer, to whoever collects them.
    member internal _.Observe(name: string, value: Tensor) =
        match pass with
        | Observing tell -> tell (scope + name) value
        | Evaluation
        | Training -> ()

    override parameters.ToString() =
        let names =
            [
                for name in tensors.Keys do
                    if name.StartsWith(scope, System.StringComparison.Ordinal) then name
            ]

        let place = if scope = "" then "the network" else parameters.Path
        $"parameters of {place}: " + System.String.Join(", ", names)

    member internal this.Text = this.ToString()
