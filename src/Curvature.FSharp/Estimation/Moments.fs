namespace Curvature

open System
open System.IO
open System.Text
open Curvature.FSharp
open Curvature.Kernels

/// What a file of a run holds behind its first facts. A checksum that is right does not make the content right:
/// whatever is read here is checked, and refused by a DataException that names the file.
[<Sealed>]
type internal RunReader(path: string, content: Stream) =
    inherit BinaryReader(content, Encoding.UTF8, true)

    /// How many samples the run had, once that is read.
    member val Samples = 0 with get, set

    /// The error of a file whose content cannot be that of a run.
    member _.Damaged(what: string) = DataException $"checkpoint {path}: it is damaged; {what}"

    /// A text, which is not longer than the file.
    override this.ReadString() =
        try
            base.ReadString()
        with
        | :? FormatException
        | :? IOException -> raise (this.Damaged "a text in it is not whole")

    /// How many numbers something has seen, which is as many as the run had samples.
    member this.ReadCount() : int =
        let count = this.ReadInt32()

        if count <> this.Samples then
            raise (this.Damaged $"{this.Samples} samples are measured there, and one quantity has {count}")

        count

    /// How many of something there are, which is at most so many.
    member this.ReadWithin(most: int, what: string) : int =
        let count = this.ReadInt32()

        if count < 0 || count > most then
            raise (this.Damaged $"it has {count} {what}, and 0 to {most} are possible")

        count

    /// A number that is not negative.
    member this.ReadMagnitude(what: string) : float =
        let value = this.ReadDouble()
        if value < 0.0 then raise (this.Damaged $"{what} is {value}")
        value

/// What is accumulated, in a form that can be kept in a file and taken up again.
type internal ISavable =
    abstract Save: BinaryWriter -> unit

    /// Takes the place of what was accumulated until now.
    abstract Restore: RunReader -> unit

module internal SavedVector =

    let write (writer: BinaryWriter) (values: float[]) =
        writer.Write values.Length
        values |> Array.iter writer.Write

    /// Raises DataException where the vector has another length.
    let read (reader: RunReader) (length: int) : float[] =
        let saved = reader.ReadInt32()

        if saved <> length then
            raise (reader.Damaged $"a vector of {length} numbers is expected, and one of {saved} came")

        Array.init length (fun _ -> reader.ReadDouble())

/// Mean and variance of numbers that come one after the other (Welford 1962): exact for equal ones, and the same bits however the
/// numbers are cut into blocks.
[<Sealed>]
type internal RunningMoments() =
    let mutable count = 0
    let mutable mean = 0.0
    let mutable squares = 0.0
    let mutable cubes = 0.0
    // A power of two near the first number where squares of such numbers would vanish or overflow, so that these are of numbers near 1.
    let mutable unit = 0.0

    let unitOf (x: float) =
        let size = abs x
        if size > 1e-120 && size < 1e120 then 1.0 else Math.ScaleB(1.0, Math.ILogB size)

    member _.Count = count
    member _.Mean = if unit = 0.0 then mean else mean * unit

    member _.Add(x: float) =
        if unit = 0.0 && x <> 0.0 && Double.IsFinite x then unit <- unitOf x
        let x = if unit = 0.0 then x else x / unit
        count <- count + 1
        let difference = x - mean
        let share = difference / float count
        cubes <- cubes + share * (share * difference * float (count - 1) * float (count - 2) - 3.0 * squares)
        mean <- mean + share
        squares <- squares + difference * (x - mean)

    /// The standard error of the mean; infinite for fewer than two numbers.
    member _.StandardError =
        if count < 2 then
            infinity
        else
            Math.Sqrt(squares / float (count - 1) / float count) * (if unit = 0.0 then 1.0 else unit)

    /// The skewness of the numbers, with the usual correction of its bias; 0 for fewer than three numbers, or equal
    /// ones.
    member _.Skewness =
        if count < 3 || squares <= 0.0 then
            0.0
        else
            let m = float count
            Math.Sqrt m * cubes / Math.Pow(squares, 1.5) * Math.Sqrt(m * (m - 1.0)) / (m - 2.0)

    interface ISavable with
        member _.Save writer =
            writer.Write count
            writer.Write mean
            writer.Write squares
            writer.Write cubes
            writer.Write unit

        member _.Restore reader =
            count <- reader.ReadCount()
            mean <- reader.ReadDouble()
            squares <- reader.ReadMagnitude "a sum of squares"
            cubes <- reader.ReadDouble()
            unit <- reader.ReadMagnitude "a unit"

/// What the first random vectors of a run look like: how many of their elements are not 0, and whether those are signs.
[<Sealed>]
type internal ProbeShape() =
    let mutable vectors = 0
    let mutable touched, elements = 0.0, 0.0
    let mutable isSign = true

    /// So many vectors are looked at.
    static member private Seen = 16

    /// Looks at the rows of a block, as far as they are among the first.
    member _.Add(block: Tensor) =
        for row in 0 .. (min block.Signature.Shape[0] (ProbeShape.Seen - vectors)) - 1 do
            let squares = Tensor.square (Tensor.convert DType.Float64 (Tensor.item 0 row block))
            let sum (t: Tensor) = (Tensor.sum t).ToScalar()
            let own = sum (Tensor.greater squares (Tensor.zerosLike squares))
            let length = sum squares

            isSign <-
                isSign
                && own = float squares.Size
                && abs (sum (Tensor.square squares) * own - length * length) <= 1e-6 * length * length

            touched <- touched + own
            elements <- elements + float squares.Size

        vectors <- min ProbeShape.Seen (vectors + block.Signature.Shape[0])

    /// The share of the elements that are not 0; 1 before there was a vector.
    member _.Touched = if elements = 0.0 then 1.0 else max touched 0.5 / elements

    /// Whether all elements are of one size.
    member _.IsSign = isSign

    interface ISavable with
        member _.Save writer =
            writer.Write vectors
            writer.Write touched
            writer.Write elements
            writer.Write isSign

        member _.Restore reader =
            vectors <- reader.ReadWithin(reader.Samples, "vectors that were looked at")
            touched <- reader.ReadMagnitude "a number of elements"
            elements <- reader.ReadMagnitude "a number of elements"
            isSign <- reader.ReadBoolean()

/// Mean and variance of quadratic forms of random vectors that come one after the other, and what is known of their
/// law.
[<Sealed>]
type internal FormMoments() =
    let moments = RunningMoments()
    let shape = ProbeShape()
    member _.Count = moments.Count
    member _.Mean = moments.Mean
    member _.StandardError = moments.StandardError
    member _.Skewness = moments.Skewness

    /// The skewness seen, or, of vectors that touch few elements, the one to reckon with: these have not seen theirs.
    member _.LikelySkewness =
        if shape.Touched < 1.0 then
            SampleLaw.boundOfForms shape.Touched moments.Count
        else
            moments.Skewness

    member _.Law = SampleLaw.ofForms shape.Touched moments.Count moments.Skewness

    /// The forms of the rows of a block.
    member _.Add(vectors: Tensor, forms: float[]) =
        shape.Add vectors
        forms |> Array.iter moments.Add

    interface ISavable with
        member _.Save writer =
            (moments :> ISavable).Save writer
            (shape :> ISavable).Save writer

        member _.Restore reader =
            (moments :> ISavable).Restore reader
            (shape :> ISavable).Restore reader

module internal Moments =

    /// The standard deviation of samples; infinite for fewer than two.
    let deviation (samples: float seq) : float =
        let moments = RunningMoments()
        samples |> Seq.iter moments.Add
        moments.StandardError * sqrt (float moments.Count)

/// The same for each element of vectors, in Float64. A vector costs one pass over memory and allocates nothing of its size, but for
/// the conversion of Float32.
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
            let own = (Tensor.convert DType.Float64 x).Storage
            let inputs = [| whole 0; whole 1; Operand(2, own.Offset, own.Strides) |]
            let outputs = [| TapeOutput(6, whole 0); TapeOutput(9, whole 1) |]
            let tape = TapeDescription(DType.Float64, [| n |], inputs, [| 1.0 / float count |], code, outputs)
            let memories = [| mean.Memory; squares.Memory; own.Memory |]
            device.Map(tape).Run(memories |> Array.map _.Address, device.Threads)
            GC.KeepAlive memories

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
