namespace Curvature

open System
open System.IO
open System.Text

/// Reads the state of a run from its file. A right checksum does not make the content right. So whatever is read is
/// checked, and refused by a DataException that names the file.
[<Sealed>]
type internal RunReader(path: string, content: Stream) =
    inherit BinaryReader(content, Encoding.UTF8, true)

    /// How many samples the run had, once that is read.
    member val Samples = 0 with get, set

    /// Raises DataException for a file whose content cannot be that of a run.
    member _.Damaged<'T>(what: string) : 'T = Fail.data $"checkpoint {path}: it is damaged; {what}"

    /// A text, which is not longer than the file.
    override this.ReadString() =
        try
            base.ReadString()
        with
        | :? FormatException
        | :? IOException -> this.Damaged "a text in it is not whole"

    /// How many numbers something has seen, which is as many as the run had samples.
    member this.ReadCount() : int =
        let count = this.ReadInt32()

        if count <> this.Samples then
            this.Damaged $"{this.Samples} samples are measured there, and one quantity has {count}"

        count

    /// How many of something there are, which is at most so many.
    member this.ReadWithin(most: int, what: string) : int =
        let count = this.ReadInt32()

        if count < 0 || count > most then
            this.Damaged $"it has {count} {what}, and 0 to {most} are possible"

        count

    /// A number that is not negative.
    member this.ReadMagnitude(what: string) : float =
        let value = this.ReadDouble()
        if value < 0.0 then this.Damaged $"{what} is {value}"
        value

/// State that can be kept in a file, and taken up again.
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
            reader.Damaged $"a vector of {length} numbers is expected, and one of {saved} came"

        Array.init length (fun _ -> reader.ReadDouble())
