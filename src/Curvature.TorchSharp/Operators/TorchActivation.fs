namespace Curvature.TorchSharp

open System
open System.Collections.Generic
open global.TorchSharp
open Curvature
open Curvature.FSharp

type private TensorModule = torch.nn.Module<torch.Tensor, torch.Tensor>

/// Hessians of losses with respect to the outputs of parts of a TorchSharp module. Forward hooks name the parts, so
/// that they must map a tensor to a tensor and be run by `call`, as Sequential and most modules run their parts.
[<AbstractClass; Sealed>]
type TorchActivation =

    /// Runs with a hook on every part, which sees its output under the part's name; a part that runs again has the
    /// names `name`, `name#2`, and so on.
    static member private Hooked
        (m: torch.nn.Module, see: string -> torch.Tensor -> torch.Tensor, work: unit -> 'R)
        : 'R =
        let counts = Dictionary<string, int>()
        let removers = ResizeArray<unit -> unit>()

        let hook name (output: torch.Tensor) =
            let count =
                match counts.TryGetValue name with
                | true, earlier -> earlier + 1
                | _ -> 1

            counts[name] <- count
            see (if count = 1 then name else $"{name}#{count}") output

        try
            for struct (name, part) in m.named_modules () do
                match part with
                | :? TensorModule as part ->
                    let remover = part.register_forward_hook (fun _ _ output -> hook name output)
                    removers.Add(fun () -> remover.remove ())
                | _ -> ()

            work ()
        finally
            for remove in removers do
                remove ()

    static member private Evaluate(name: string, work: unit -> 'R) : 'R =
        TorchState.exclusively name (fun () -> TorchState.keepingRandomState ValueNone work)

    /// The outputs of parts of a module that a loss passes through, by the names of `named_modules()`, in the order in
    /// which they are made. Costs one call of the loss.
    static member taps (loss: unit -> torch.Tensor) (m: torch.nn.Module) : ActivationTap list =
        ArgumentNullException.ThrowIfNull(m, nameof m)
        let found = ResizeArray<ActivationTap>()

        let see name (output: torch.Tensor) =
            if torch.is_floating_point output.dtype then
                found.Add(ActivationTap(name, Exchange.shapeOf output))

            output

        TorchActivation.Evaluate(
            "TorchActivation",
            fun () -> TorchActivation.Hooked(m, see, (fun () -> loss () |> ignore))
        )

        List.ofSeq found

    /// The Hessian of a loss with respect to the output of a part of a module: the second derivative by a perturbation
    /// that is added there, of the size of that output. Products cost a backward pass through the graph from the part
    /// on, and are refused where the parameters have changed since.
    /// Raises ParameterException where no part of that name runs, naming those that do, and otherwise as
    /// `TorchHessian.ofRisk`.
    static member at (loss: unit -> torch.Tensor) (tap: string) (m: torch.nn.Module) : TorchMatrix =
        ArgumentNullException.ThrowIfNull(tap, nameof tap)
        ArgumentNullException.ThrowIfNull(m, nameof m)
        let name = "torch activation Hessian"
        let watched = ParameterSet.Of(name, m.named_parameters ())

        TorchActivation.Evaluate(
            name,
            fun () ->
                let mutable perturbation: torch.Tensor voption = ValueNone
                let seen = ResizeArray<string>()

                let see part (output: torch.Tensor) =
                    seen.Add part

                    if part = tap then
                        let delta = torch.zeros_like(output.detach ()).requires_grad_()
                        perturbation <- ValueSome delta
                        output + delta
                    else
                        output

                let value = TorchActivation.Hooked(m, see, loss)

                match perturbation with
                | ValueNone ->
                    let known = String.Join(", ", seen)
                    Fail.parameter $"{name}: no part \"{tap}\" was called; there are: {known}"
                | ValueSome delta ->
                    let set = ParameterSet(name, [ tap, delta ])
                    let matrix = GraphMatrix.hessian name false set value
                    let held = { matrix with Held = delta :: matrix.Held }

                    new TorchMatrix(
                        RetainedOperator.square name OperatorProperties.Symmetric watched set held,
                        set.Layout,
                        null
                    )
        )

    /// The outputs of parts of a module that a loss passes through; see `taps`.
    static member Taps(loss: Func<torch.Tensor>, m: torch.nn.Module) : IReadOnlyList<ActivationTap> =
        ArgumentNullException.ThrowIfNull(loss, nameof loss)
        TorchActivation.taps loss.Invoke m

    /// The Hessian of a loss with respect to the output of a part of a module; see `at`.
    static member At(loss: Func<torch.Tensor>, tap: string, m: torch.nn.Module) : TorchMatrix =
        ArgumentNullException.ThrowIfNull(loss, nameof loss)
        TorchActivation.at loss.Invoke tap m
