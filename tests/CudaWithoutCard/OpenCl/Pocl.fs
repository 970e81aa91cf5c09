namespace Curvature.Tests.CudaWithoutCard

open System
open System.Collections.Generic
open System.IO
open System.Runtime.InteropServices
open System.Text
open Expecto
open Curvature.Cuda
open Curvature.Tests

/// Runs the fixed kernels on this machine's processor by PoCL. Arrays of the process are the kernels' arrays: for a
/// processor an address is an address.
[<RequireQualifiedAccess>]
module Pocl =

    /// Where the source of the kernels is.
    let folder = Path.Combine(SharedData.repositoryRoot.Value, "src", "Curvature.Cuda", "Kernels")

    let private check what error = if error <> 0 then failtest $"OpenCL, {what}: error {error}"

    let private nameOf platform =
        let value = Array.zeroCreate 256
        let mutable needed = 0un
        OpenCl.clGetPlatformInfo (platform, 0x0902u, 256un, value, &needed) |> check "the platform's name"
        Encoding.ASCII.GetString(value, 0, int needed).TrimEnd '\000'

    /// The platform of PoCL; none where the machine has no OpenCL, or not this one.
    let private platform =
        lazy
            (if not (fst (NativeLibrary.TryLoad OpenCl.Library)) then
                 None
             else
                 let platforms = Array.zeroCreate 16
                 let mutable found = 0u

                 if OpenCl.clGetPlatformIDs (16u, platforms, &found) <> 0 then
                     None
                 else
                     platforms[.. int found - 1] |> Array.tryFind (nameOf >> _.Contains("Portable Computing")))

    let private machine =
        lazy
            (let devices = Array.zeroCreate 1
             let mutable found = 0u
             let mutable error = 0
             let cpu = 2UL
             OpenCl.clGetDeviceIDs (platform.Value.Value, cpu, 1u, devices, &found) |> check "the processor"
             let context = OpenCl.clCreateContext (0n, 1u, devices, 0n, 0n, &error)
             check "a context" error
             let queue = OpenCl.clCreateCommandQueue (context, devices[0], 0UL, &error)
             check "a queue" error
             devices, context, queue)

    let private programs = Dictionary<string, nativeint>()

    let private program name =
        match programs.TryGetValue name with
        | true, program -> program
        | _ ->
            let devices, context, _ = machine.Value
            let source = File.ReadAllText(Path.Combine(folder, name + ".cl"))
            let mutable error = 0
            let program = OpenCl.clCreateProgramWithSource (context, 1u, [| source |], 0n, &error)
            check name error
            let options = $"-cl-std=CL1.2 -cl-kernel-arg-info -I {folder}"

            if OpenCl.clBuildProgram (program, 1u, devices, options, 0n, 0n) <> 0 then
                let log = Array.zeroCreate 20000
                let mutable needed = 0un
                OpenCl.clGetProgramBuildInfo (program, devices[0], 0x1183u, 20000un, log, &needed) |> ignore
                failtest $"{name} does not compile: {Encoding.ASCII.GetString(log).TrimEnd '\000'}"

            programs[name] <- program
            program

    /// Skips a test where there is no PoCL.
    let require () =
        if platform.Value.IsNone then
            skiptest "this machine has no PoCL (Debian's pocl-opencl-icd)"

    /// The files of kernels, without their endings.
    let files = [ for path in Directory.GetFiles(folder, "*.cl") -> Path.GetFileNameWithoutExtension path ]

    /// Creates a kernel, sets its arguments one by one, and runs it over a grid.
    let private launch file name (grid: Grid) (count: int) (set: nativeint -> uint32 -> int) =
        let _, _, queue = machine.Value
        let mutable error = 0
        let kernel = OpenCl.clCreateKernel (program file, name, &error)
        check name error

        for i in 0 .. count - 1 do
            set kernel (uint32 i) |> check $"argument {i} of {name}"

        let size = [| unativeint (grid.X * int64 grid.Threads); unativeint grid.Y; unativeint grid.Z |]
        let block = [| unativeint grid.Threads; 1un; 1un |]

        OpenCl.clEnqueueNDRangeKernel (queue, kernel, 3u, null, size, block, 0u, 0n, 0n) |> check name

        OpenCl.clFinish queue |> check name
        OpenCl.clReleaseKernel kernel |> ignore

    /// Runs a launch; arguments that are not values have these addresses.
    let run (planned: Launch) (addressOf: Argument -> nativeint) : unit =
        let arguments = planned.Arguments

        launch planned.Module.Name planned.Kernel planned.Grid arguments.Length (fun kernel i ->
            match arguments[int i] with
            | :? ValueArgument as value ->
                OpenCl.clSetKernelArg (kernel, i, unativeint value.Bytes.Length, value.Bytes)
            | address -> OpenCl.clSetKernelArgSVMPointer (kernel, i, addressOf address))

    /// Runs a kernel on the bytes of its arguments, addresses among them.
    let runValues (file: string) (name: string) (grid: Grid) (values: byte[][]) : unit =
        let globalAddress = 0x119Bu

        launch file name grid values.Length (fun kernel i ->
            let mutable space = 0u
            let mutable needed = 0un
            OpenCl.clGetKernelArgInfo (kernel, i, 0x1196u, 4un, &space, &needed) |> check "what an argument is"

            if space = globalAddress then
                OpenCl.clSetKernelArgSVMPointer (kernel, i, nativeint (BitConverter.ToInt64(values[int i], 0)))
            else
                OpenCl.clSetKernelArg (kernel, i, unativeint values[int i].Length, values[int i]))
