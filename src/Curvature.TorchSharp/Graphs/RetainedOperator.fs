namespace Curvature.TorchSharp

open System
open global.TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Kernels

/// Operators whose graphs are made once and kept.
module internal RetainedOperator =

    /// What an operator holds, to be disposed of once; products on other threads end first.
    [<Sealed>]
    type private HeldTensors(held: TorchTensor list, rooms: IDisposable list) =
        interface IDisposable with
            member _.Dispose() =
                TorchState.exclusively "torch" (fun () ->
                    for t in held do
                        t.Dispose()

                    for room in rooms do
                        room.Dispose())

    /// What must be as it was when the operator was made.
    [<NoEquality; NoComparison>]
    type private Watch = { Set: ParameterSet; Before: uint64[] }

    /// The products with the rows of a block, one after the other, written from torch's memory into the library's.
    let rows
        (domain: ParameterSet, room: VectorRoom)
        (target: ParameterSet)
        (apply: TorchTensor[] -> (TorchTensor | null)[])
        (block: Tensor)
        : Tensor =
        let shape = [| block.Signature.Shape[0]; target.Layout.Size |]
        let source = block.Storage.Dense domain.DType
        let result = Storage.Allocate(CpuDevice.Shared, { Shape = shape; DType = target.DType })

        for row in 0 .. shape[0] - 1 do
            use _scope = torch.NewDisposeScope()
            domain.Enter(source, row, room)
            target.Leave(apply room.Parts, result, row)

        Tensor.OfStorage result

    /// Checks the watched parameters, and runs alone.
    let private product (name: string) (watch: Watch) (work: unit -> Tensor) : Tensor =
        TorchState.exclusively name (fun () ->
            watch.Set.RequireUnchanged(name, watch.Before)
            work ())

    let private hold (held: TorchTensor list) (rooms: IDisposable list) : IDisposable =
        for t in held do
            t.DetachFromDisposeScope() |> ignore

        new HeldTensors(held, rooms)

    /// A square matrix over a set of leaves. The watched parameters may be others, as where the leaves perturb values
    /// on the way. It takes the held tensors out of the dispose scope.
    let square name properties (watched: ParameterSet) (set: ParameterSet) (matrix: GraphMatrix) : LinearOperator =
        let room, n = set.Room(), set.Layout.Size
        let watch = { Set = watched; Before = watched.Checksums() }
        let apply = rows (set, room) set matrix.Product
        let products = Products.ofMatmat (fun block -> product name watch (fun () -> apply block))

        new LinearOperator(
            { OperatorParts.define name set.DType n n products with
                Properties = properties
            },
            hold matrix.Held [ room ]
        )

    /// The derivative of outputs of m elements, m×n, with its transpose.
    let jacobian name (set: ParameterSet) (derivative: GraphMatrix.Derivative) : LinearOperator =
        let outputs = derivative.Outputs
        let ofOutputs = ParameterSet(name, [ "outputs", outputs.detach().contiguous() ])
        let m, n = ofOutputs.Layout.Size, set.Layout.Size

        if ofOutputs.DType <> set.DType then
            Fail.dtype $"{name}: the outputs are {outputs.dtype}, and the parameters {set.DType}"

        let room, outputRoom = set.Room(), ofOutputs.Room()
        let watch = { Set = set; Before = set.Checksums() }

        let map domain target apply block = product name watch (fun () -> rows domain target apply block)
        let push = map (set, room) ofOutputs (fun v -> [| derivative.Push v |])
        let pull = map (ofOutputs, outputRoom) set (fun u -> derivative.Pull u[0])

        new LinearOperator(
            { OperatorParts.define name set.DType m n (Products.ofMatmat push) with
                Adjoint = ValueSome(Products.ofMatmat pull)
            },
            hold (ofOutputs.Tensors[0] :: derivative.Held) [ room; outputRoom ]
        )
