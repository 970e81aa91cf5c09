namespace Curvature

open System
open Curvature.FSharp
open Curvature.Kernels

/// Mean and variance of each element of vectors, in Float64, as RunningMoments has them for numbers. A vector costs
/// one pass over memory. It allocates nothing of its size, but for the conversion of Float32.
[<Sealed>]
type internal RunningVectorMoments(n: int, device: Device) =
    let zeros () = Storage.Of(device, [| n |], DType.Float64, Array.zeroCreate<float> n)

    let mutable mean, squares = zeros (), zeros ()
    let mutable count = 0

    /// Registers: mean, squares, x, 1/count; then difference x − mean, the new mean, and the new squares.
    let code =
        [|
            Instruction(OpCode.Subtract, 2, 0)
            Instruction(OpCode.Multiply, 4, 3)
            Instruction(OpCode.Add, 0, 5)
            Instruction(OpCode.Subtract, 2, 6)
            Instruction(OpCode.Multiply, 4, 7)
            Instruction(OpCode.Add, 1, 8)
        |]

    let whole slot = Operand(slot, 0L, [| 1 |])
    let snapshot (storage: Storage) = Tensor.OfStorage storage + 0.0

    member _.Count = count
    member _.Mean = snapshot mean

    member _.Add(x: Tensor) =
        count <- count + 1

        if n > 0 then
            let wide = Tensor.convert DType.Float64 x
            let values = wide.Storage
            let inputs = [| whole 0; whole 1; Operand(2, values.Offset, values.Strides) |]
            let outputs = [| TapeOutput(6, whole 0); TapeOutput(9, whole 1) |]
            let tape = TapeDescription(DType.Float64, [| n |], inputs, [| 1.0 / float count |], code, outputs)
            let memories = [| mean.Memory; squares.Memory; values.Memory |]
            device.Map(tape).Run(memories |> Array.map _.Address, device.Threads)
            GC.KeepAlive memories
            if x.DType <> DType.Float64 then Vectors.release wide

    /// The rows of a block, one after the other.
    member this.AddRows(block: Tensor) =
        for row in 0 .. block.Signature.Shape[0] - 1 do
            this.Add(Tensor.item 0 row block)

    /// The standard error of each mean; zeros for fewer than two vectors.
    member _.StandardError: Tensor =
        if count < 2 then
            Tensor.zeros DType.Float64 [ n ] |> Tensor.toDevice device
        else
            Tensor.sqrt (Tensor.OfStorage squares / (float (count - 1) * float count))

    /// The norms of the means and of the standard errors; an infinite error for fewer than two vectors.
    member this.Norms: struct (float * float) =
        let norm (t: Tensor) = (Tensor.norm t).ToScalar()
        struct (norm (Tensor.OfStorage mean), (if count < 2 then infinity else norm this.StandardError))

    /// The length of the standard deviations; infinite for fewer than two vectors.
    member this.Deviation: float =
        let struct (_, error) = this.Norms
        error * sqrt (float count)

    interface ISavable with
        member _.Save writer =
            writer.Write count
            SavedVector.write writer (mean.ToArray DType.Float64)
            SavedVector.write writer (squares.ToArray DType.Float64)

        member _.Restore reader =
            count <- reader.ReadCount()
            mean <- Storage.Of(device, [| n |], DType.Float64, SavedVector.read reader n)
            squares <- Storage.Of(device, [| n |], DType.Float64, SavedVector.read reader n)
