/// What tests of kernels share: devices, arrays on them, and strided layouts.
module Curvature.Tests.Unit.Kernels.Support

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Tests

/// The instruction sets that this machine can run, each with code paths of its own.
let instructionSets = Enum.GetValues<InstructionSet>() |> Array.filter InstructionSets.IsSupported

/// One device of each instruction set, with one thread.
let devices = [ for set in instructionSets -> CpuDevice(1, set) ]

/// Devices that differ only in the number of threads.
let teams = [ for threads in 1..3 -> CpuDevice(threads, InstructionSets.Best) ]

/// The element type of a .NET type.
let dtypeOf<'T> =
    if typeof<'T> = typeof<float32> then DType.Float32
    elif typeof<'T> = typeof<float> then DType.Float64
    else DType.Int32

/// The mark that results are written over, to see what they leave alone.
let mark = -77

/// The values in a new array on a device.
let upload<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    (device: Device)
    (values: 'T[])
    =
    let memory = device.Allocate(int64 values.Length * int64 sizeof<'T>)
    device.Upload<'T>(ReadOnlySpan<'T> values, memory.Address)
    memory

/// The first values of an array on a device.
let download<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    (device: Device)
    count
    (memory: DeviceMemory)
    =
    let values = Array.zeroCreate<'T> count
    device.Download<'T>(memory.Address, Span<'T> values)
    values

/// Runs a kernel on arrays: slot i is array i.
let runOn threads (kernel: Kernel) (arrays: DeviceMemory list) =
    let slots = [| for array in arrays -> array.Address |]
    kernel.Run(slots, threads)
    arrays |> List.iter GC.KeepAlive

let run (device: Device) kernel arrays = runOn device.Threads kernel arrays

/// The number of elements of a shape.
let count (shape: int[]) = Array.fold (*) 1 shape

/// Row-major strides.
let dense (shape: int[]) = Array.scanBack (*) shape 1 |> Array.tail

/// All index tuples of a shape, in row-major order.
let indices (shape: int[]) =
    let strides = dense shape
    Array.init (count shape) (fun i -> Array.mapi (fun axis size -> i / strides[axis] % size) shape)

/// Strides and offset of an array in a buffer that holds it and perhaps more.
type Layout =
    {
        Strides: int[]
        Offset: int
        Length: int
    }

    member layout.At(index: int[]) = layout.Offset + Array.sum (Array.map2 (*) index layout.Strides)

    /// The elements of an array of the given shape in this layout, row-major. What lies between them must have stayed
    /// as it was before.
    member layout.ReadAlone shape (untouched: 'T -> bool) (buffer: 'T[]) =
        let written = Array.zeroCreate<bool> buffer.Length

        let values =
            indices shape
            |> Array.map (fun index ->
                let place = layout.At index
                written[place] <- true
                buffer[place])

        let strays = Array.exists2 (fun written value -> not written && not (untouched value)) written buffer
        Expect.isFalse "It wrote outside its target." strays
        values

    /// The elements of an array of the given shape in this layout, row-major.
    member layout.Read shape (buffer: 'T[]) = indices shape |> Array.map (fun index -> buffer[layout.At index])

    member layout.Operand slot = Operand(slot, int64 layout.Offset, layout.Strides)

/// Row-major from the start.
let denseLayout shape = { Strides = dense shape; Offset = 0; Length = count shape }

/// A layout drawn at random: axes in any order in memory, gaps, reversed axes, and repeated ones where allowed.
let randomLayout (random: Random) mayRepeat (shape: int[]) =
    match random.Next 4 with
    | 0 -> denseLayout shape
    | kind ->
        let strides = Array.zeroCreate shape.Length
        let order = Array.init shape.Length id

        if kind > 1 then random.Shuffle order

        let mutable stride = 1
        let mutable offset = random.Next 3
        let mutable last = 0

        for axis in Array.rev order do
            if mayRepeat && random.Next 3 = 0 then
                strides[axis] <- 0
            else
                let reversed = kind = 3 && random.Next 3 = 0
                strides[axis] <- if reversed then -stride else stride
                let extent = stride * (max 1 shape[axis] - 1)
                last <- last + extent

                if reversed then offset <- offset + extent

                stride <- stride * max 1 shape[axis] + (if random.Next 3 = 0 then random.Next 3 else 0)

        { Strides = strides; Offset = offset; Length = offset + last + 1 }

/// A shape drawn at random, of few elements unless it is long.
let randomShape (random: Random) =
    match random.Next 12 with
    | 0 -> [||]
    | 1 -> [| random.Next 3; random.Next 4 |]
    | 2 -> [| 1 + random.Next 3; 1 + random.Next 3000 |]
    | 3 -> [| 1 + random.Next 600; 1 + random.Next 12 |]
    | 4 -> [| 1 + random.Next 9; 1 + random.Next 30; 1 + random.Next 30 |]
    | 5 -> [| 20000 + random.Next 20000 |]
    | _ -> Array.init (random.Next 5) (fun _ -> 1 + random.Next 9)

/// Bits that tell NaN from NaN no more than equality of numbers should, but −0 from 0.
let bits (values: 'T[]) =
    values
    |> Array.map (fun value ->
        match box value with
        | :? float32 as x -> if Single.IsNaN x then -1L else int64 (BitConverter.SingleToInt32Bits x)
        | :? float as x -> if Double.IsNaN x then -1L else BitConverter.DoubleToInt64Bits x
        | :? int as x -> int64 x
        | _ -> invalidArg (nameof values) "Expected numbers.")

/// A condition holds.
let holds (message: string) (condition: bool) = Expect.isTrue message condition

/// Two values are equal; NaN equals NaN. (Equality comes first because assertions take long over large arrays.)
let same (expected: 'T) (actual: 'T) =
    if not (LanguagePrimitives.GenericEqualityER expected actual) then
        Expect.equal "values" expected actual

/// A description is refused: the error names the argument, what was expected and what came.
let refuses (argument: string) (make: unit -> unit) =
    let error = Expect.caught<DescriptionException> make
    same argument error.Argument
    holds error.Message (error.Message.Contains "Expected" && error.Message.Contains "got")
