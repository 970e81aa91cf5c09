namespace Curvature

/// The fault that is switched on: compiled into the library by run.fsx, and never else.
module internal Mutant =

    let private chosen = System.Environment.GetEnvironmentVariable "CURVATURE_MUTANT"

    let is (number: int) : bool = (chosen = string number)
