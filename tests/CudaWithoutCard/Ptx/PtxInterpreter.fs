namespace Curvature.Tests.CudaWithoutCard

open System
open System.Runtime.InteropServices
open Expecto

/// Arrays that a kernel may touch: the address and the bytes of each.
type PtxArrays = (nativeint * int64) list

/// Where a thread goes after an instruction.
type private Next =
    | Following
    | Jump of line: int
    | Meeting
    | Stop

/// A thread of a block: its words, and the line it is at.
type private Thread = { Words: uint64[]; mutable At: int }

/// Runs the PTX that the library writes, one thread after the other, on arrays of this process: what a test can do
/// without a card. Fails where a kernel touches anything but its arrays, and where threads do not meet.
type PtxInterpreter(text: string) =

    let ptx = PtxParser.parse text

    // Tables and what threads share have addresses that no array has.
    let tableAt = 0x1000UL
    let sharedAt = 0x100UL

    let tables = ptx.Tables |> Map.toArray
    let words = Array.collect snd tables

    let tableOf name =
        let before = tables |> Array.takeWhile (fun (other, _) -> other <> name)
        tableAt + 8UL * uint64 (Array.sumBy (fun (_, words: uint64[]) -> words.Length) before)

    let sharedBytes = ptx.Shared |> Map.toSeq |> Seq.sumBy snd

    let bytesOf (operation: string) = if operation.EndsWith "64" then 8 else 4

    let compile (arrays: PtxArrays) (parameters: uint64[]) (line: PtxLine) =
        let touch (address: uint64) bytes =
            let inside (start: nativeint, length: int64) =
                int64 address >= int64 start && int64 address + int64 bytes <= int64 start + length

            if address % uint64 bytes <> 0UL then
                failtest $"{address} is not a multiple of {bytes}: {line.Text}"

            if not (List.exists inside arrays) then
                failtest $"outside its arrays: {line.Text}"

            nativeint address

        let load bytes (address: nativeint) =
            if bytes = 8 then
                uint64 (Marshal.ReadInt64 address)
            else
                uint64 (uint32 (Marshal.ReadInt32 address))

        let store bytes (address: nativeint) (value: uint64) =
            if bytes = 8 then
                Marshal.WriteInt64(address, int64 value)
            else
                Marshal.WriteInt32(address, int32 (uint32 value))

        let bytes = bytesOf line.Operation

        /// Moves registers to or from an array.
        let moves (access: nativeint -> uint64[] -> int -> unit) place (offset: int64) (registers: int[]) =
            fun (thread: Thread) _ _ _ ->
                let start = thread.Words[place] + uint64 offset
                touch start (bytes * registers.Length) |> ignore

                for i in 0 .. registers.Length - 1 do
                    access (touch (start + uint64 (i * bytes)) bytes) thread.Words registers[i]

                Following

        let loads = moves (fun address words register -> words[register] <- load bytes address)
        let stores = moves (fun address words register -> store bytes address words[register])

        let sharedPlace (thread: Thread) place (offset: int64) =
            let start = int (thread.Words[place] + uint64 offset - sharedAt)

            if start < 0 || start + 8 > sharedBytes then
                failtest $"outside what threads share: {line.Text}"

            start

        match line.Operation, line.Operands with
        | "ret", [||] -> fun _ _ _ _ -> Stop
        | "bar.sync", [| Value _ |] -> fun _ _ _ _ -> Meeting
        | "bra", [| Symbol label |] ->
            let next = Jump ptx.Labels[label]
            fun _ _ _ _ -> next
        | ("ld.param.u32" | "ld.param.u64"), [| Value target; Address(name, _, _) |] ->
            let value = parameters[Array.IndexOf(ptx.Parameters, name)]

            fun thread _ _ _ ->
                thread.Words[target] <- value
                Following
        | "mov.u32", [| Value target; Symbol "%tid.x" |] ->
            fun thread _ inBlock _ ->
                thread.Words[target] <- uint64 (uint32 inBlock)
                Following
        | "mov.u32", [| Value target; Symbol "%ctaid.x" |] ->
            fun thread block _ _ ->
                thread.Words[target] <- uint64 (uint32 block)
                Following
        | "mov.u32", [| Value target; Symbol name |] when ptx.Shared.ContainsKey name ->
            fun thread _ _ _ ->
                thread.Words[target] <- sharedAt
                Following
        | "mov.u64", [| Value target; Symbol name |] ->
            let address = tableOf name

            fun thread _ _ _ ->
                thread.Words[target] <- address
                Following
        | "mov.b64", [| Value target; Vector [| low; high |] |] ->
            fun thread _ _ _ ->
                thread.Words[target] <- (thread.Words[high] <<< 32) ||| (thread.Words[low] &&& 0xFFFFFFFFUL)
                Following
        | "ld.const.u64", [| Value target; Address("", place, offset) |] ->
            fun thread _ _ _ ->
                thread.Words[target] <- words[int ((thread.Words[place] + uint64 offset - tableAt) / 8UL)]
                Following
        | "ld.shared.f64", [| Value target; Address("", place, offset) |] ->
            fun thread _ _ shared ->
                thread.Words[target] <- BitConverter.ToUInt64(shared, sharedPlace thread place offset)
                Following
        | "st.shared.f64", [| Address("", place, offset); Value source |] ->
            fun thread _ _ shared ->
                BitConverter.TryWriteBytes(Span<byte>(shared, sharedPlace thread place offset, 8), thread.Words[source])
                |> ignore

                Following
        | operation, [| Value target; Address("", place, offset) |] when operation.StartsWith "ld.global." ->
            loads place offset [| target |]
        | operation, [| Vector targets; Address("", place, offset) |] when operation.StartsWith "ld.global.v" ->
            loads place offset targets
        | operation, [| Address("", place, offset); Value source |] when operation.StartsWith "st.global." ->
            stores place offset [| source |]
        | operation, [| Address("", place, offset); Vector sources |] when operation.StartsWith "st.global.v" ->
            stores place offset sources
        | _ ->
            match PtxInstructions.compile line with
            | Some compute ->
                fun thread _ _ _ ->
                    compute thread.Words
                    Following
            | None -> failtest $"An instruction that is not known: {line.Text}"

    /// Runs a thread to the next place where threads meet, and returns whether there is one.
    let advance (lines: PtxLine[]) (steps: (Thread -> int -> int -> byte[] -> Next)[]) thread block inBlock shared =
        let mutable running = true
        let mutable meets = false

        while running do
            let line = lines[thread.At]

            if line.Guard >= 0 && (thread.Words[line.Guard] <> 0UL) = line.Negated then
                thread.At <- thread.At + 1
            else
                match steps[thread.At] thread block inBlock shared with
                | Following -> thread.At <- thread.At + 1
                | Jump target -> thread.At <- target
                | Stop -> running <- false
                | Meeting ->
                    thread.At <- thread.At + 1
                    meets <- true
                    running <- false

        meets

    /// The instructions of the text.
    member _.Lines = ptx.Lines

    /// Runs all blocks. Parameters are words, in the order of the kernel.
    member _.Run(blocks: int64, threads: int, parameters: uint64[], arrays: PtxArrays) : unit =
        if parameters.Length <> ptx.Parameters.Length then
            failtest $"{ptx.Parameters.Length} parameters are expected, not {parameters.Length}"

        let steps = ptx.Lines |> Array.map (compile arrays parameters)
        let team = Array.init threads (fun _ -> { Words = Array.copy ptx.Initial; At = 0 })

        for block in 0 .. int blocks - 1 do
            let shared = Array.create<byte> sharedBytes 0xFFuy // NaN
            team |> Array.iter (fun thread -> thread.At <- 0)
            let mutable meeting = true

            while meeting do
                let met = team |> Array.mapi (fun i thread -> advance ptx.Lines steps thread block i shared)
                meeting <- met[0]

                if Array.exists ((<>) met[0]) met then
                    failtest "Some threads of a block do not meet the others."
