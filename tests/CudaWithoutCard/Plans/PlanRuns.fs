/// Plans of kernels run without a card: fixed kernels by PoCL, texts by the interpreter.
module Curvature.Tests.CudaWithoutCard.PlanRuns

open System
open Expecto
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

let private word (bytes: byte[]) =
    match bytes.Length with
    | 4 -> uint64 (BitConverter.ToUInt32(bytes, 0))
    | 8 -> BitConverter.ToUInt64(bytes, 0)
    | size -> failtest $"A text is given {size} bytes."

/// Runs a plan on the addresses of arrays, and returns the place of a wrong index, counted from 1, or 0.
let runAt (plan: KernelPlan) (addresses: nativeint[]) (arrays: PtxArrays) : int64 =
    // What nobody writes before it is read is NaN.
    let marked bytes = upload device (Array.create<byte> (int bytes) 0xFFuy)
    let workspaces = [ for bytes in plan.Workspaces -> marked bytes ]
    let tables = [ for table in plan.Tables -> upload device table ]
    let wrong = upload device [| 0L |]

    let addressOf (argument: Argument) =
        match argument with
        | :? ArrayArgument as array -> addresses[array.Slot] + nativeint array.Offset
        | :? WorkspaceArgument as workspace -> workspaces[workspace.Index].Address
        | :? TableArgument as table -> tables[table.Index].Address
        | _ -> wrong.Address

    for launch in plan.Launches do
        match launch.Module.Text with
        | null -> Pocl.run launch addressOf
        | text ->
            let parameters =
                [|
                    for argument in launch.Arguments do
                        match argument with
                        | :? ValueArgument as value -> word value.Bytes
                        | address -> uint64 (addressOf address)
                |]

            let own = [ for memory in workspaces @ tables -> memory.Address, memory.Bytes ]
            PtxInterpreter(text).Run(launch.Grid.X, launch.Grid.Threads, parameters, arrays @ own)

    workspaces @ tables |> List.iter GC.KeepAlive
    (download<int64> device 1 wrong)[0]

/// The same on arrays of a device: slot i is array i.
let runPlan (plan: KernelPlan) (slots: DeviceMemory list) : int64 =
    let addresses = [| for memory in slots -> memory.Address |]
    let wrong = runAt plan addresses [ for memory in slots -> memory.Address, memory.Bytes ]
    slots |> List.iter GC.KeepAlive
    wrong

/// Runs a plan on one set of arrays and a kernel of the processor on another, filled alike, and returns an array of
/// each.
let both<'R when 'R: unmanaged and 'R: (new: unit -> 'R) and 'R: struct and 'R :> ValueType>
    (plan: KernelPlan)
    (kernel: Kernel)
    (make: unit -> DeviceMemory list)
    slot
    =
    let expected, actual = make (), make ()
    run device kernel expected

    if runPlan plan actual <> 0L then failtest "An index is said to be wrong."

    let read (slots: DeviceMemory list) = download<'R> device (int slots[slot].Bytes / sizeof<'R>) slots[slot]

    read expected, read actual
