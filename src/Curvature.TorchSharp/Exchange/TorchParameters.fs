namespace Curvature.TorchSharp

open System
open System.Collections.Generic
open global.TorchSharp
open Curvature
open Curvature.FSharp

/// The parameters of a TorchSharp module as the library's flat vector θ, and weights both ways. Parameters that do not
/// require a gradient are left out; one that stands under several names counts once, under the first.
[<AbstractClass; Sealed>]
type TorchParameters =

    /// The names, shapes and places in θ, by PyTorch's names, in the order of `named_parameters()`.
    /// Raises ParameterException where there are none that require a gradient, DTypeException and DeviceException where
    /// they differ in element type or device, and DisposedException for a module that was disposed of.
    static member layout(parameters: seq<struct (string * Modules.Parameter)>) : ParameterLayout =
        ParameterSet.Of("TorchParameters", parameters).Layout

    /// The values now, θ of shape [n], Float64 or Float32. Errors are those of `layout`.
    static member read(parameters: seq<struct (string * Modules.Parameter)>) : Tensor =
        let set = ParameterSet.Of("TorchParameters", parameters)
        TorchState.exclusively "TorchParameters" set.Values

    /// Gives the parameters the values of θ, of shape [n]. Raises ShapeException and DTypeException for a θ that does
    /// not fit, and otherwise as `layout`.
    static member write (theta: Tensor) (parameters: seq<struct (string * Modules.Parameter)>) : unit =
        ArgumentNullException.ThrowIfNull(theta, nameof theta)
        let set = ParameterSet.Of("TorchParameters", parameters)
        set.RequireFit("TorchParameters", theta)

        // Torch counts this as a change: graphs of the old values are no longer valid.
        let copy (targets: TorchTensor[]) (values: TorchTensor[]) =
            use _noGrad = torch.no_grad ()
            Array.iter2 (fun (target: TorchTensor) value -> target.copy_ value |> ignore) targets values

        TorchState.exclusively "TorchParameters" (fun () -> set.Assign(theta, copy))

    /// The named tensors of a state dictionary, as `Network.load` takes them: parameters, and statistics of batch
    /// normalisation.
    static member ofStateDict(state: IEnumerable<KeyValuePair<string, torch.Tensor>>) : (string * Tensor) list =
        ArgumentNullException.ThrowIfNull(state, nameof state)
        [ for entry in state -> entry.Key, Exchange.ofTorch entry.Value ]

    /// Named tensors, as `Network.save` gives them, as a state dictionary for `load_state_dict`. Its tensors belong to
    /// the caller's dispose scope. Raises ParameterException where a name comes twice.
    static member toStateDict(tensors: (string * Tensor) seq) : Dictionary<string, torch.Tensor> =
        ArgumentNullException.ThrowIfNull(tensors, nameof tensors)
        let state = Dictionary<string, torch.Tensor>()

        for name, tensor in tensors do
            if not (state.TryAdd(name, Exchange.toTorch tensor)) then
                Fail.parameter $"TorchParameters: the tensor \"{name}\" is there twice"

        state

    /// The names, shapes and places in θ of the parameters of a module; see `layout`.
    static member Layout(m: torch.nn.Module) : ParameterLayout =
        ArgumentNullException.ThrowIfNull(m, nameof m)
        TorchParameters.layout (m.named_parameters ())

    /// The values of the parameters of a module, θ of shape [n]; see `read`.
    static member Read(m: torch.nn.Module) : Tensor =
        ArgumentNullException.ThrowIfNull(m, nameof m)
        TorchParameters.read (m.named_parameters ())

    /// Gives the parameters of a module the values of θ; see `write`.
    static member Write(theta: Tensor, m: torch.nn.Module) : unit =
        ArgumentNullException.ThrowIfNull(m, nameof m)
        TorchParameters.write theta (m.named_parameters ())

    /// The parameters in θ and the network with its statistics from the state dictionary of a module with the same
    /// names. Errors are those of `Network.load`.
    static member Load(m: torch.nn.Module, network: Network, dtype: DType) : struct (Tensor * Network) =
        ArgumentNullException.ThrowIfNull(m, nameof m)
        ArgumentNullException.ThrowIfNull(network, nameof network)
        let theta, loaded = Network.load dtype (TorchParameters.ofStateDict (m.state_dict ())) network
        struct (theta, loaded)

    /// Gives a module with the same names the parameters in θ and the statistics of a network. Its counters of batches
    /// stay as they are. Raises ParameterException where names differ.
    static member Save(theta: Tensor, network: Network, m: torch.nn.Module) : unit =
        ArgumentNullException.ThrowIfNull(theta, nameof theta)
        ArgumentNullException.ThrowIfNull(network, nameof network)
        ArgumentNullException.ThrowIfNull(m, nameof m)

        TorchState.exclusively "TorchParameters" (fun () ->
            use _noGrad = torch.no_grad ()
            let state = m.state_dict ()

            for name, tensor in Network.save theta network do
                match state.TryGetValue name with
                | true, target -> target.copy_ (Exchange.toTorch tensor) |> ignore
                | _ -> Fail.parameter $"TorchParameters: the module has no tensor \"{name}\"")
