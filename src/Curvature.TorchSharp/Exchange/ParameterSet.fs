namespace Curvature.TorchSharp

open System
open System.Collections.Generic
open global.TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Kernels

/// Room for the parts of one vector: on the processor in the library's element type, and as the parameters are. Both
/// are the same where these are alike.
[<Sealed>]
type internal VectorRoom(host: TorchTensor[], parts: TorchTensor[]) =
    member _.Host = host
    member _.Parts = parts

    interface IDisposable with
        member _.Dispose() =
            for t in Seq.append host parts do
                t.Dispose()

/// Tensors of parameters as one flat vector: their layout, and copies of parts of vectors to and from them.
[<Sealed>]
type internal ParameterSet(name: string, named: (string * TorchTensor) list) =
    do
        if named.IsEmpty then
            Fail.parameter (
                $"{name}: there are no parameters that require a gradient; they may be frozen, "
                + "or their module was disposed of"
            )

    let tensors = named |> List.map snd |> List.toArray
    let first = tensors[0]
    let kind = first.dtype
    let dtype = Exchange.dtypeOf kind

    do
        if not (torch.is_floating_point kind) then
            Fail.dtype $"{name}: parameters are real numbers, and {fst named.Head} is {kind}"

        for parameter, t in named do
            if t.dtype <> kind then
                Fail.dtype $"{name}: parameter {parameter} is {t.dtype}, and {fst named.Head} is {kind}"

            if t.device_type <> first.device_type || t.device_index <> first.device_index then
                Fail.device $"{name}: parameter {parameter} is on {t.device}, and {fst named.Head} on {first.device}"

    let layout = ParameterLayout [ for parameter, t in named -> parameter, Exchange.shapeOf t ]
    let places = layout.Tensors |> Seq.toArray
    let bytes = Signature.BytesOf dtype

    /// Where part i of row number `row` of a block begins.
    let start row i = (int64 row * int64 layout.Size + int64 places[i].Offset) * bytes

    /// Whether vectors of the library have the same numbers in memory as the parameters.
    let isShared = Exchange.isOnHost first && Exchange.scalarType dtype = kind

    let checkAlive () =
        for place, t in Array.zip places tensors do
            if t.IsInvalid then
                Fail.disposed (
                    $"{name}: parameter {place.Name} was disposed of, with its module, or replaced, as when a module "
                    + "moves to another element type or device; make the operator anew"
                )

    /// The parameters that require a gradient, each once, in the given order.
    static member Of(name: string, parameters: seq<struct (string * Modules.Parameter)>) : ParameterSet =
        ArgumentNullException.ThrowIfNull(parameters, nameof parameters)

        TorchErrors.guard name (fun () ->
            let seen = HashSet<nativeint>()

            ParameterSet(
                name,
                [
                    for struct (parameter, t) in parameters do
                        ArgumentNullException.ThrowIfNull(t, parameter)

                        if t.IsInvalid then
                            Fail.disposed $"{name}: parameter {parameter} was disposed of, with its module, say"

                        if t.requires_grad && seen.Add t.Handle then parameter, (t :> TorchTensor)
                ]
            ))

    member _.Layout = layout
    member _.Tensors = tensors

    /// The element type of vectors.
    member _.DType = dtype

    /// The checksum of every tensor.
    member _.Checksums() : uint64[] =
        checkAlive ()
        tensors |> Array.map Checksum.ofTensor

    /// Raises DifferentiationException where values are not what they were.
    member set.RequireUnchanged(operator: string, before: uint64[]) =
        let now = set.Checksums()

        for i in 0 .. now.Length - 1 do
            if now[i] <> before[i] then
                Fail.differentiation (
                    $"{operator}: parameter {places[i].Name} has changed since the operator was made, by a step of an "
                    + "optimizer, say; make it anew"
                )

    /// Room for one vector in parts of the parameters' shapes, element type and device, which outlives dispose scopes.
    member _.Room() : VectorRoom =
        let empty (kind: torch.ScalarType) (device: torch.Device) (t: TorchTensor) =
            torch.empty(t.shape, Nullable kind, device).DetachFromDisposeScope()

        let host = tensors |> Array.map (empty (Exchange.scalarType dtype) torch.CPU)
        new VectorRoom(host, (if isShared then host else tensors |> Array.map (empty kind first.device)))

    /// Copies row number `row` of a block [k; n] into the room.
    member _.Enter(block: Storage, row: int, room: VectorRoom) =
        for i in 0 .. places.Length - 1 do
            Exchange.copyIn block (start row i) room.Host[i]
            if not isShared then room.Parts[i].copy_ room.Host[i] |> ignore

    /// Copies parts into row number `row` of a block [k; n]; a missing one is zero.
    member _.Leave(parts: (TorchTensor | null)[], block: Storage, row: int) =
        for i in 0 .. places.Length - 1 do
            match parts[i] with
            | null ->
                let zeros = Array.zeroCreate<byte>(places[i].Size * int bytes)
                block.Device.Upload<byte>(ReadOnlySpan zeros, block.Address + nativeint (start row i))
            | part -> Exchange.copyOut (Exchange.hostOf (Exchange.scalarType dtype) part) block (start row i)

    /// Parts as one vector [n].
    member set.Join(parts: (TorchTensor | null)[]) : Tensor =
        let storage = Storage.Allocate(CpuDevice.Shared, { Shape = [| layout.Size |]; DType = dtype })
        set.Leave(parts, storage, 0)
        Tensor.OfStorage storage

    /// The values of the parameters, [n].
    member set.Values() : Tensor =
        checkAlive ()
        set.Join(tensors |> Array.map (fun t -> t.detach ()))

    /// Gives the parameters the values of a vector [n] by a copy of parts into tensors.
    member set.Assign(theta: Tensor, copy: TorchTensor[] -> TorchTensor[] -> unit) =
        checkAlive ()
        use room = set.Room()
        set.Enter(theta.Storage.Dense dtype, 0, room)
        copy tensors room.Parts

    /// Raises ShapeException and DTypeException where a vector is no point of these parameters.
    member _.RequireFit(name: string, theta: Tensor) =
        if theta.Signature.Shape <> [| layout.Size |] then
            Fail.shape (
                $"{name}: the parameters are one vector of shape [{layout.Size}], "
                + $"and this one has shape {Shape.show theta.Signature.Shape}"
            )

        if theta.DType <> dtype then
            Fail.dtype $"{name}: the parameters are {dtype}, and the vector is {theta.DType}"

    /// Runs with other values of the parameters, and puts the old ones back.
    member set.At(theta: Tensor, work: unit -> 'R) : 'R =
        let before = set.Values()

        try
            set.Assign(theta, TorchScript.assign)
            work ()
        finally
            set.Assign(before, TorchScript.assign)
