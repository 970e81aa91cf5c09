namespace Curvature

open System.Text
open System.Collections.Generic
open Curvature.Kernels

/// An operand of an equation.
[<NoEquality; NoComparison>]
type internal Atom =
    /// A value computed by the program, by number.
    | Variable of int
    /// A value known when the program was made.
    | Constant of Tensor

/// A part of a program whose intermediate values are not kept for the rest of it: whoever needs them computes them
/// again. Number 0 is the program outside of all segments.
[<Struct; NoComparison>]
type internal Segment =
    {
        Number: int
        /// The segment that this one lies in and that lies in no other: itself, or one around it.
        Outermost: int
    }

    member segment.IsNone = (segment.Number = 0)

    static member None = { Number = 0; Outermost = 0 }

/// One application of a primitive.
[<NoEquality; NoComparison>]
type internal Equation = { Primitive: Primitive; Operands: Atom[]; Results: int[]; Segment: Segment }

/// A straight-line program over primitives. Variables 0, 1, … are its inputs.
[<NoEquality; NoComparison>]
type internal Program =
    {
        Device: Device
        Inputs: int
        Variables: Signature[]
        Equations: Equation[]
        Outputs: Atom[]
    }

    member program.Signature atom =
        match atom with
        | Variable id -> program.Variables[id]
        | Constant tensor -> tensor.Signature

    /// Runs the program by a way to apply its primitives, one after the other. A value is let go after its last use.
    member program.InterpretBy (apply: Primitive -> Tensor[] -> Tensor[]) (inputs: Tensor[]) : Tensor[] =
        let values: Tensor[] = Array.zeroCreate program.Variables.Length
        Array.blit inputs 0 values 0 program.Inputs
        let last = Array.zeroCreate<int> program.Variables.Length

        let noteAt index atom =
            match atom with
            | Variable id -> last[id] <- index
            | Constant _ -> ()

        program.Equations |> Array.iteri (fun index equation -> equation.Operands |> Array.iter (noteAt index))
        program.Outputs |> Array.iter (noteAt program.Equations.Length)

        let read atom =
            match atom with
            | Variable id -> values[id]
            | Constant tensor -> tensor

        let releaseAt index atom =
            match atom with
            | Variable id when last[id] = index -> values[id] <- Unchecked.defaultof<Tensor>
            | _ -> ()

        program.Equations
        |> Array.iteri (fun index equation ->
            let results = apply equation.Primitive (equation.Operands |> Array.map read)
            equation.Operands |> Array.iter (releaseAt index)
            Array.iter2 (fun id result -> values[id] <- result) equation.Results results)

        program.Outputs |> Array.map read

    /// Runs the program by applying its primitives one after the other. Inputs may be traced by any transformation.
    member program.Interpret(inputs: Tensor[]) : Tensor[] =
        program.InterpretBy (fun primitive operands -> Interpreter.Bind(primitive, operands)) inputs

    /// The program without equations that no output needs.
    member program.WithoutUnused() : Program =
        let live = Array.zeroCreate<bool> program.Variables.Length

        let mark atom =
            match atom with
            | Variable id -> live[id] <- true
            | Constant _ -> ()

        program.Outputs |> Array.iter mark
        let kept = List<Equation>()

        for i in program.Equations.Length - 1 .. -1 .. 0 do
            let equation = program.Equations[i]

            if equation.Results |> Array.exists (fun id -> live[id]) then
                equation.Operands |> Array.iter mark
                kept.Add equation

        kept.Reverse()
        { program with Equations = kept.ToArray() }

    override program.ToString() =
        let text = StringBuilder()

        let variable id = $"v{id}: {program.Variables[id].Text}"

        let atom a =
            match a with
            | Variable id -> $"v{id}"
            | Constant t when t.Size = 1 && isNull t.Owner ->
                t.ToScalar().ToString("G6", System.Globalization.CultureInfo.InvariantCulture)
            | Constant t when isNull t.Owner && t.Storage.Uniform.IsSome ->
                t.Storage.Uniform.Value.ToString("G6", System.Globalization.CultureInfo.InvariantCulture)
            | Constant t -> $"constant{t.ShapeText}"

        let list (items: string seq) = System.String.Join(", ", items)
        text.Append($"inputs {list (Seq.init program.Inputs variable)}\n") |> ignore

        for equation in program.Equations do
            let results, operands = equation.Results |> Seq.map variable, equation.Operands |> Seq.map atom
            text.Append($"  {list results} = {equation.Primitive} ({list operands})\n") |> ignore

        text.Append($"outputs {list (program.Outputs |> Seq.map atom)}").ToString()

/// A value that the program being recorded will compute.
[<Sealed>]
type internal StageTracer(owner: Interpreter, id: int, signature: Signature, device: Device, isLinear: bool) =
    inherit Tracer(signature)
    member _.Id = id
    override _.Owner = owner
    override _.Device = device

    override _.Storage =
        raise (
            AbstractValueException(
                "the value of a tensor was asked for while its function was being recorded, before values exist; "
                + "decide on shapes instead, or select with masks"
            )
        )

    // A linear program is transposed, for which each of its operations counts.
    override _.MayBeRemembered = not isLinear
    override _.Describe() = Printing.showAbstract "recorded" signature.DType signature.Shape

/// Staging: primitives with an unknown operand are written down; all others are computed at once. In a linear program
/// the unknowns are tangents.
[<Sealed>]
type internal StageInterpreter(depth: int, device: Device, isLinear: bool) =
    inherit Interpreter(depth)
    let equations = List<Equation>()
    let variables = List<Signature>()

    member this.Fresh(signature: Signature) : Tensor =
        variables.Add signature
        Tensor(StageTracer(this, variables.Count - 1, signature, device, isLinear))

    member this.Atom(t: Tensor) =
        match t.Content with
        | :? StageTracer as tracer when obj.ReferenceEquals(tracer.Owner, this) -> Variable tracer.Id
        | _ -> Constant t

    override this.Process(primitive, operands) =
        let results = primitive.Infer(operands |> Array.map _.Signature) |> Array.map this.Fresh

        equations.Add
            {
                Primitive = primitive
                Operands = operands |> Array.map this.Atom
                Results = results |> Array.map (fun result -> (result.Content :?> StageTracer).Id)
                Segment = Segment.None
            }

        results

    /// The program that computes the outputs, without what they do not need.
    member this.Finish(inputs: int, outputs: Tensor[]) : Program =
        {
            Device = device
            Inputs = inputs
            Variables = variables.ToArray()
            Equations = equations.ToArray()
            Outputs = outputs |> Array.map this.Atom
        }
            .WithoutUnused()

module internal Staging =

    /// Records a function of inputs of which only shapes and element types are known.
    let stage (device: Device) (inputs: Signature[]) (f: Tensor[] -> Tensor[]) : Program =
        let interpreter = StageInterpreter(Interpreter.CurrentDepth + 1, device, false)
        let outputs = interpreter.Run(fun () -> f (inputs |> Array.map interpreter.Fresh))
        interpreter.Finish(inputs.Length, outputs)
