namespace Curvature.Tests.Properties

open Expecto
open System
open System.IO
open Curvature
open Curvature.Tests

/// Damage to files: what a reader must survive.
[<RequireQualifiedAccess>]
module Mutation =

    /// Numbers that readers have been known to believe.
    let private lies =
        [| "0"; "-1"; "1e9"; "65536"; "2147483647"; "2147483648"; "99999999999"; "18446744073709551616" |]

    let private isDigit (b: byte) = b >= 48uy && b <= 57uy

    /// Puts a lie in the place of a run of digits near a place.
    let private replaceNumber (random: Random) (bytes: ResizeArray<byte>) place =
        match bytes.FindIndex(place, (fun b -> isDigit b)) with
        | -1 -> ()
        | start ->
            let behind = bytes.FindIndex(start, (fun b -> not (isDigit b)))
            let length = (if behind < 0 then bytes.Count else behind) - start
            bytes.RemoveRange(start, length)
            bytes.InsertRange(start, Text.Encoding.ASCII.GetBytes lies[random.Next lies.Length])

    /// Overwrites up to eight bytes by the same one, as a length that lies would be.
    let private overwrite (random: Random) (bytes: ResizeArray<byte>) place =
        let value = [| 0uy; 0x7Fuy; 0x80uy; 0xFFuy |][random.Next 4]

        for i in place .. min (bytes.Count - 1) (place + random.Next 8) do
            bytes[i] <- value

    let private strike (random: Random) (bytes: ResizeArray<byte>) =
        // Half of the damage is done where headers are.
        let reach = if random.Next 2 = 0 then min 64 bytes.Count else bytes.Count
        let place = random.Next(max 1 reach)

        match random.Next 8 with
        | _ when bytes.Count = 0 -> bytes.Add(byte (random.Next 256))
        | 0 -> bytes[place] <- byte (random.Next 256)
        | 1 -> bytes[place] <- bytes[place] ^^^ (1uy <<< random.Next 8)
        | 2 -> bytes.RemoveAt place
        | 3 -> bytes.Insert(place, byte (random.Next 256))
        | 4 ->
            let length = min (random.Next 12) (bytes.Count - place)
            bytes.InsertRange(random.Next bytes.Count, bytes.GetRange(place, length))
        | 5 -> bytes.RemoveRange(place, bytes.Count - place)
        | 6 -> replaceNumber random bytes place
        | _ -> overwrite random bytes place

    /// A copy of a file with a few bytes changed, removed or repeated, numbers replaced, or the end cut off.
    let damage (random: Random) (file: byte[]) : byte[] =
        let bytes = ResizeArray<byte> file

        for _ in 0 .. random.Next 4 do
            strike random bytes

        bytes.ToArray()

    /// Reads so many damaged copies of files. Each must be read, or refused with a typed error, without more memory
    /// than is allowed.
    let survivesWithin (allowance: int64) (count: int) (seed: int) (files: byte[] list) (read: Stream -> unit) =
        let files = List.toArray files

        for i in 0 .. count - 1 do
            let file = damage (Random(seed + i)) files[i % files.Length]
            let say what = failtest $"damaged file {i} of seed {seed}, {Convert.ToBase64String file}, {what}"
            let before = GC.GetAllocatedBytesForCurrentThread()

            try
                use stream = new MemoryStream(file)
                read stream
            with
            | :? CurvatureException -> ()
            | error -> say $"ended in {error.GetType().Name}: {error.Message}"

            let taken = GC.GetAllocatedBytesForCurrentThread() - before

            if taken > allowance then say $"took {taken} bytes of memory"

    /// Reads so many damaged copies of small files, none of which may make a reader ask for more than 16 MiB.
    let survives (count: int) (seed: int) (files: byte[] list) (read: Stream -> unit) =
        survivesWithin (1L <<< 24) count seed files read
