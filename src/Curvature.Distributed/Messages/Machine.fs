namespace Curvature.FSharp

open System
open System.Reflection
open System.Runtime.InteropServices
open System.Security.Cryptography
open Curvature
open Curvature.Kernels

/// What decides the bits that a process computes. Two processes with the same facts give the same bits.
module internal Machine =

    /// The version of messages. It changes with every change of their form.
    let protocol = 1

    let private version =
        let assembly = typeof<EmpiricalRisk>.Assembly

        match assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>() with
        | null -> string (assembly.GetName().Version)
        | found -> found.InformationalVersion

    /// A hash of what functions and products give on a few numbers: it differs where a library of mathematics does.
    let private bits =
        lazy
            (let of' dtype =
                let x = Tensor.linspace dtype -3.0 3.0 64
                let square = Tensor.reshape [ 8; 8 ] x

                [
                    Tensor.exp x
                    Tensor.tanh x
                    Tensor.sigmoid x
                    Tensor.log (Tensor.square x + 1.0)
                    Tensor.sqrt (Tensor.abs x)
                    Tensor.normal (Key.OfSeed 1L) dtype [ 64 ]
                    Tensor.flatten (Tensor.matmul square square)
                ]
                |> List.map (Tensor.convert DType.Float64)
                |> Tensor.concat 0

             let numbers = Array.append ((of' DType.Float32).ToArray()) ((of' DType.Float64).ToArray())
             let hash = SHA256.HashData(MemoryMarshal.AsBytes(ReadOnlySpan numbers))
             Convert.ToHexString hash[..7])

    /// Facts by name. The same names in the same order everywhere.
    let facts: Lazy<(string * string) list> =
        lazy
            [
                "version of Curvature", version
                "instruction set", string InstructionSets.Best
                "architecture", string RuntimeInformation.ProcessArchitecture
                "runtime", RuntimeInformation.FrameworkDescription
                "result of a trial computation", bits.Value
            ]
